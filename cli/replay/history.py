"""The past of one service: counts per objective and interval, and what is wrong with them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cli.replay.errors import ReplayError
from plugin.slo import is_request
from plugin.statistics.evidence import Array

HOUR = 3600

BUSY = 10.0
"""Requests per interval from which an interval without any is a gap, not a quiet moment."""

_JUMP_FACTOR, _JUMP_FLOOR = 10.0, 100.0
_TORN = 0.4
"""With so many gaps in the typical hour the scrape interval is wrong, not the history."""


@dataclass(frozen=True)
class Tally:
    """Bad and total requests per interval."""

    bad: Array
    total: Array


Chunk = Mapping[str, Mapping[str, Tally]]
"""One hour: objective → version (may be "") → counts."""

Chunks = Mapping[int, Chunk | None]
"""Number of the hour → its counts; None if they could not be read."""


@dataclass(frozen=True)
class History:
    """All hours from `start` (Unix seconds, a full hour) on, in intervals of `step` seconds.

    `tallies` has one entry per objective; an hour that could not be read holds zeros and is listed
    in `unread` (as its number). `dropped` counts intervals whose requests are no traffic but a
    counter that was away: they hold zeros too.
    """

    start: int
    step: int
    tallies: Mapping[str, Tally]
    unread: frozenset[int] = frozenset()
    dropped: int = 0

    @property
    def per_hour(self) -> int:
        return HOUR // self.step

    @cached_property
    def traffic(self) -> Array:
        """Requests per interval, by the objective that counts the most of them."""
        requests = [tally for name, tally in self.tallies.items() if is_request(name)]
        counted = requests or list(self.tallies.values())
        return max(counted, key=lambda tally: tally.total.sum()).total

    @property
    def hours(self) -> int:
        return len(self.traffic) // self.per_hour

    @cached_property
    def typical(self) -> float:
        """The median number of requests in an interval that has any."""
        seen = self.traffic[self.traffic > 0]
        return float(np.median(seen)) if len(seen) else 0.0

    @cached_property
    def gaps(self) -> NDArray[np.bool_]:
        """Intervals without a request although the service is busy."""
        return (self.traffic == 0) & (self.typical >= BUSY)

    @property
    def torn(self) -> float:
        """The fraction of gaps in the usable hours."""
        gaps = self.gaps.reshape(self.hours, self.per_hour)[self.usable]
        return float(gaps.mean()) if len(gaps) else 0.0

    @cached_property
    def usable(self) -> NDArray[np.int64]:
        """The hours that may serve as releases: with requests, and at most half of them gaps."""
        by_hour = self.traffic.reshape(self.hours, self.per_hour)
        torn = self.gaps.reshape(self.hours, self.per_hour).mean(axis=1) > 0.5
        return np.flatnonzero((by_hour.sum(axis=1) > 0) & ~torn)


def assemble(chunks: Chunks, start: int, step: int, objectives: Sequence[str]) -> History:
    """One history of the hours asked for so far, the number 0 of which begins at `start`."""
    first, end = min(chunks, default=0), max(chunks, default=-1) + 1
    per_hour, length = HOUR // step, (end - first) * (HOUR // step)
    tallies = {name: Tally(np.zeros(length), np.zeros(length)) for name in objectives}
    for number, chunk in chunks.items():
        here = slice((number - first) * per_hour, (number - first + 1) * per_hour)
        for name, versions in (chunk or {}).items():
            for tally in versions.values():
                tallies[name].bad[here] += tally.bad
                tallies[name].total[here] += tally.total
    read = {number - first for number, chunk in chunks.items() if chunk is not None}
    unread = frozenset(range(end - first)) - read
    return _without_jumps(History(start + first * HOUR, step, tallies, unread))


def _without_jumps(history: History) -> History:
    """Leaves out what the judge too leaves out: ten times the usual requests in one interval."""
    jump = np.zeros(len(history.traffic), dtype=bool)
    around = _usual(history)
    for tally in history.tallies.values():
        jump |= tally.total > np.maximum(_JUMP_FACTOR * around, _JUMP_FLOOR)
    tallies = {
        name: Tally(np.where(jump, 0, tally.bad), np.where(jump, 0, tally.total))
        for name, tally in history.tallies.items()
    }
    return History(
        history.start, history.step, tallies, history.unread, int(np.count_nonzero(jump))
    )


def _usual(history: History) -> Array:
    """Per interval, the median number of requests in its hour's intervals that have any."""
    by_hour = history.traffic.reshape(history.hours, history.per_hour)
    usual = [float(np.median(hour[hour > 0])) if hour.any() else 0.0 for hour in by_hour]
    return np.repeat(usual, history.per_hour)


def check(history: History, service: str) -> None:
    """Raises ReplayError when there is nothing, or nothing sound, to replay."""
    if not history.traffic.any():
        raise ReplayError(
            f"no request to {service} was counted in these {history.hours} hours: compare "
            "--service and --namespace with the labels of its request metrics, and --since with "
            "Prometheus' retention"
        )
    for name, tally in history.tallies.items():
        bad, total = tally.bad.sum(), tally.total.sum()
        if not total:
            raise ReplayError(f"nothing was counted for {name}: is its metric in this Prometheus?")
        if bad == total:
            raise ReplayError(
                f"all {total:,.0f} requests are bad for {name}: if it is latency, is its threshold "
                "a bucket of the histogram?"
            )
    seen = history.traffic.reshape(history.hours, history.per_hour)
    seen = seen[seen.any(axis=1)]
    if history.typical >= BUSY and float(np.median((seen == 0).mean(axis=1))) >= _TORN:
        raise ReplayError(
            f"about {(seen == 0).mean():.0%} of the {history.step} s intervals hold no request "
            "although the service is busy: is --scrape-interval shorter than Prometheus' own?"
        )
    if not len(history.usable):
        raise ReplayError(
            f"none of the {history.hours} hours is complete enough to replay: more than half of "
            "each is missing"
        )
