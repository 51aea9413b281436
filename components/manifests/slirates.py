"""The events of an objective as PromQL: how many there are a second, and how many of them are bad.

Where nothing was counted, neither has a value: the ratio of a window is then unknown, and not 0.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

from plugin.slo.units import format_duration

Selectors = tuple[str, ...]
"""Series that meet any of these; no series meets two."""


class Events(Protocol):
    """Both in events per second, over the last `window`."""

    def total(self, window: timedelta) -> str: ...

    def bad(self, window: timedelta) -> str: ...


@dataclass(frozen=True)
class Counters:
    """Counters of all events, and of the bad or the good ones.

    A counter is born with its first event, so one that is not there counts as 0.
    """

    every: Selectors
    part: Selectors
    part_is_good: bool = False

    def total(self, window: timedelta) -> str:
        return f"sum({_rates(self.every, window)})"

    def bad(self, window: timedelta) -> str:
        total = self.total(window)
        part = f"(sum({_rates(self.part, window)}) or 0 * {total})"
        return _rest(total, part) if self.part_is_good else part


@dataclass(frozen=True)
class Buckets:
    """A classic histogram's bucket of all events, and that of the good ones.

    A histogram has all its buckets from its first event on. One that lacks the bucket of the good
    ones was given others: it says nothing about them, and must not make all its events bad.
    """

    every: Selectors
    within: Selectors

    def total(self, window: timedelta) -> str:
        every, within = _rates(self.every, window), _rates(self.within, window)
        return f"sum(({every}) and ignoring (le) ({within}))"

    def bad(self, window: timedelta) -> str:
        return _rest(self.total(window), f"sum({_rates(self.within, window)})")


@dataclass(frozen=True)
class NativeHistograms:
    """Native histograms, whose events are good up to `bound`, in their own unit.

    A bound inside of a bucket is interpolated.
    """

    histograms: Selectors
    bound: Decimal

    def total(self, window: timedelta) -> str:
        return f"histogram_count({self._sum(window)})"

    def bad(self, window: timedelta) -> str:
        fraction = f"histogram_fraction(-Inf, {self.bound:f}, {self._sum(window)})"
        total = self.total(window)
        # Nothing is no fraction of nothing: "not a number" would stay in the longest window.
        return _rest(total, f"({total} * {fraction} >= 0)")

    def _sum(self, window: timedelta) -> str:
        return f"sum({_rates(self.histograms, window)})"


def _rates(selectors: Selectors, window: timedelta) -> str:
    over = f"[{format_duration(window)}]"
    return " or ".join(f"rate({each}{over})" for each in selectors)


def _rest(total: str, good: str) -> str:
    """Two scrapes may see the two counters unequally: never below 0."""
    return f"clamp_min({total} - {good}, 0)"
