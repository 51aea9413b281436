"""The stages of a canary."""

import math
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field

from components.spec.durations import Seconds
from plugin.slo import Model

STEP = 1.4
"""The least rise of the weight from stage to stage, as a factor (plugin.verdict.progress)."""


class Stage(Model):
    """A share of the traffic, and the most time the evidence for it may take."""

    # At 100 nothing would be left to compare the canary with.
    weight: int = Field(ge=1, le=99, description="the canary's share of traffic, 1 to 99 percent")
    time: Seconds = Field(description='the longest this stage may gather evidence, such as "5m"')


def _rising(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    if not stages:
        raise ValueError("a canary needs at least one stage, such as {weight: 10, time: 5m}")
    for before, after in pairwise(stages):
        if after.weight <= before.weight:
            raise ValueError(
                f"weights must rise from stage to stage, but {after.weight} follows "
                f"{before.weight}; reorder the stages or raise the later weight"
            )
        if after.weight < STEP * before.weight:
            raise ValueError(
                f"{after.weight} after {before.weight} is too small a step: a stage begins when "
                f"the judge sees its share of traffic arrive, which takes {STEP} times the weight "
                f"before; raise it to {math.ceil(STEP * before.weight)} or leave the stage out"
            )
    return stages


Stages = Annotated[tuple[Stage, ...], AfterValidator(_rising)]
