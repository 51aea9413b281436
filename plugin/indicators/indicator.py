"""Service level indicators: how one objective becomes (bad, total) counts in Prometheus."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from plugin.indicators.schemes import Arm, Scheme, resolved
from plugin.promql.matchers import Matcher, selector
from plugin.promql.query import Amount, counted, itself
from plugin.promql.targets import MEASURED, reached
from plugin.slo import Objective
from plugin.statistics.evidence import Array

Values = tuple[str, ...]
"""The values of the labels that a source's counts are told apart by."""
Counted = Mapping[str, Mapping[Values, Array]]
"""Of one arm: source → label values → counts per interval."""
Present = Callable[[Counted], bool]
"""Counts of one arm → whether they tell which of its events were good and which bad."""
Fold = Callable[[Counted, int], tuple[Array, Array]]
"""Counts of one arm, and the number of intervals → (bad, total) per interval."""

_FEW_OF_STABLE = 0.1
"""Without so much of stable its bad ratio looks larger by a tenth of itself at most, and the
canary's share as well. Of the canary one pod may be the one that fails."""


@dataclass(frozen=True)
class Source:
    """Counters that are summed by some of their labels. `key` tells an indicator's sources apart.

    `amount` is what is counted of each sample, for samples that are no plain numbers. `zeros` says
    that counters which stand still are to be seen too.
    """

    key: str
    metric: str
    scheme: Scheme
    by: tuple[str, ...] = ()
    matchers: tuple[Matcher, ...] = ()
    amount: Amount = itself
    zeros: bool = False

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
        return counted(selectors, step, self.amount, replicas, self.scheme.restarts)


@dataclass(frozen=True)
class Indicator:
    """Where the events of one objective are counted, and how their counts fold.

    `present` says whether an arm's counts tell good from bad; without that, a missing counter would
    make all its events bad, and a missing label all of them good.
    `unreached` says that requests which found no pod count as well: in the first source, and only
    once the release has been seen.
    """

    objective: Objective
    sources: tuple[Source, ...]
    how: Fold
    present: Present | None = None
    unreached: bool = False

    @property
    def name(self) -> str:
        return self.objective.name

    def apart(self, arm: Arm) -> bool:
        """Whether each arm's events are scraped at times of their own."""
        return any(source.scheme.apart(arm) for source in self.sources)

    def elsewhere(self, name: str, arm: Arm) -> str | None:
        """How many counters have counted on targets of the application that have none of the total.

        PromQL; None where there is nothing to ask. Scraped at two times, the good or bad events
        since the one are no part of all events since the other. (A counter at zero may well be
        there before the total: that has labels, and is born with its first event.)
        """
        if self.objective.ratio is None or not self.sources[0].scheme.restarts:
            return None
        part, total = (" or ".join(one.selectors(name, arm)) for one in self.sources)
        return f"count((({part}) > 0) unless on (job, instance) ({total}))"

    def unscraped(self, name: str, arm: Arm) -> str | None:
        """How many of the arm's pods that count its events cannot be scraped now, if it matters.

        PromQL; None where no pods count. What such a pod does meanwhile nobody sees, and what the
        others do would pass for all. A pod that goes leaves Prometheus' targets and is none.
        """
        source = self.sources[-1]  # of a ratio all events: every target that counts has those
        if not source.scheme.apart(arm):
            return None
        now, lately = " @ end()", int(MEASURED.total_seconds())
        series = " or ".join(
            f"last_over_time({one}[{lately}s]{now})" for one in source.selectors(name, arm)
        )
        targets = f"({reached(source.scheme.targets(arm), now)} and on (job, instance) ({series}))"
        failed = f"count({targets} == 0)"
        return failed if name == "canary" else f"{failed} > {_FEW_OF_STABLE} * count({targets})"

    def fold(self, arms: Mapping[str, Counted], intervals: int) -> dict[str, tuple[Array, Array]]:
        """(bad, total) per arm; nothing of either if one of them lacks counters."""
        if self.lacking(arms):
            return {name: (np.zeros(intervals), np.zeros(intervals)) for name in arms}
        return {name: self.how(arm, intervals) for name, arm in arms.items()}

    def lacking(self, arms: Mapping[str, Counted]) -> tuple[str, ...]:
        """The arms whose events are counted, but not which of them were good or bad.

        A counter that stands still is there: an arm that is really that bad lacks nothing.
        """
        if self.present is None:
            return ()
        return tuple(name for name, arm in arms.items() if _anything(arm) and not self.present(arm))


def _anything(arm: Counted) -> bool:
    return any(count.any() for counts in arm.values() for count in counts.values())
