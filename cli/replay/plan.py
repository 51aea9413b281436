"""What is replayed: the question to the judge, the stages and the rhythm. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from math import ceil

from components.manifests.argo import until_decided
from plugin import question
from plugin.policy import OnUndecided
from plugin.question import Question
from plugin.scraping import lag
from plugin.slo import Objective
from plugin.statistics.limits import Limits


@dataclass(frozen=True)
class Stage:
    """`weight` is the canary's share in percent, `seconds` the most that the stage may take."""

    weight: int
    seconds: int


@dataclass(frozen=True)
class Plan:
    """One way to release: `scrape` and `every` (the time between two looks) in seconds.

    `reporter` is the side of Istio's metrics that is read.
    """

    question: Question
    stages: tuple[Stage, ...]
    scrape: int
    every: int
    reporter: str = "source"

    def limits(self, stage: Stage) -> dict[str, Limits]:
        """By objective; the pass margin depends on what share the next stage gives the canary."""
        slo, policy, exposure = self.question.slo, self.question.policy, self.asked(stage).exposure
        return {one.name: Limits.of(one, slo, policy, exposure) for one in self.objectives}

    @property
    def objectives(self) -> Sequence[Objective]:
        return self.question.slo.objectives

    @property
    def seconds(self) -> int:
        """The most that a release may take."""
        return sum(map(self._longest, self.stages))

    @property
    def lag(self) -> float:
        """How old the newest counts are that a look can use, in seconds."""
        return lag(self.scrape)

    @cached_property
    def apart(self) -> frozenset[str]:
        """The objectives whose arms are scraped each at its own time."""
        return self.question.apart(self.reporter)

    def asked(self, stage: Stage) -> Question:
        """What a controller asks in this stage."""
        stages = {
            one: question.Stage(weight=one.weight, time=timedelta(seconds=one.seconds))
            for one in self.stages
        }
        update = {"stage": stages[stage], "stages": tuple(stages.values())}
        return self.question.model_copy(update=update)

    def looks(self, stage: Stage) -> int:
        """How often the judge is asked in a stage; the first time is when it begins."""
        return 1 + ceil(self._longest(stage) / self.every)

    def _longest(self, stage: Stage) -> int:
        """The seconds for which the judge is asked, as Argo Rollouts would ask it."""
        holds = self.question.policy.on_undecided is OnUndecided.HOLD
        return stage.seconds if holds else until_decided(stage.seconds)
