"""The stages of a canary."""

import math
from collections.abc import Sequence
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


def check_rise(weights: Sequence[int]) -> None:
    """Raises ValueError where a stage would not be told from the one before."""
    for before, after in pairwise(weights):
        if after <= before:
            raise ValueError(
                f"weights must rise from stage to stage, but {after} follows "
                f"{before}; reorder the stages or raise the later weight"
            )
        if after < STEP * before:
            raise ValueError(
                f"{after} after {before} is too small a step: a stage begins when "
                f"the judge sees its share of traffic arrive, which takes {STEP} times the weight "
                f"before; raise it to {math.ceil(STEP * before)} or leave the stage out"
            )


def _rising(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    if not stages:
        raise ValueError("a canary needs at least one stage, such as {weight: 10, time: 5m}")
    check_rise([stage.weight for stage in stages])
    return stages


Stages = Annotated[tuple[Stage, ...], AfterValidator(_rising)]
