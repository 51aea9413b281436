"""Service level indicators: how one objective becomes (bad, total) counts in Prometheus."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from plugin.indicators.schemes import Arm, Scheme, resolved
from plugin.promql.matchers import Matcher, selector
from plugin.promql.query import Amount, counted, itself
from plugin.slo import Objective
from plugin.statistics.evidence import Array

Values = tuple[str, ...]
"""The values of the labels that a source's counts are told apart by."""
Counted = Mapping[str, Mapping[Values, Array]]
"""Of one arm: source → label values → counts per interval."""
Fold = Callable[[Counted, int], tuple[Array, Array]]
"""Counts of one arm, and the number of intervals → (bad, total) per interval."""


@dataclass(frozen=True)
class Source:
    """Counters that are summed by some of their labels. `key` tells an indicator's sources apart.

    `amount` is what is counted of each sample, for samples that are no plain numbers.
    """

    key: str
    metric: str
    scheme: Scheme
    by: tuple[str, ...] = ()
    matchers: tuple[Matcher, ...] = ()
    amount: Amount = itself

    def selectors(self, name: str, arm: Arm) -> list[str]:
        """The series of the arm called `name`."""
        alternatives = self.scheme.matchers(name, arm)
        return [selector(self.metric, (*own, *self.matchers)) for own in alternatives]

    def unreached(self, arm: Arm) -> list[str]:
        """The series of requests that were meant for this arm and found none of its pods."""
        if self.scheme.unreached is None:
            return []
        return [selector(self.metric, (*resolved(self.scheme.unreached, arm), *self.matchers))]

    def counted(self, selectors: Iterable[str], step: int, replicas: Sequence[str]) -> str:
        return counted(selectors, step, self.amount, replicas)


@dataclass(frozen=True)
class Indicator:
    """Where the events of one objective are counted, and how their counts fold.

    Without counts of the source `needs` in any arm nothing is known of the objective. `unreached`
    says that requests which found no pod count as well: in the first source, and only once the
    release has been seen.
    """

    objective: Objective
    sources: tuple[Source, ...]
    how: Fold
    needs: str = ""
    unreached: bool = False

    @property
    def name(self) -> str:
        return self.objective.name

    def fold(self, arms: Mapping[str, Counted], intervals: int) -> dict[str, tuple[Array, Array]]:
        """(bad, total) per arm."""
        if any(arm.get(self.needs) for arm in arms.values()):
            return {name: self.how(arm, intervals) for name, arm in arms.items()}
        return {name: (np.zeros(intervals), np.zeros(intervals)) for name in arms}
