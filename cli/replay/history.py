"""The past of one service: counts per objective and interval, and what is wrong with them. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cli.replay.errors import ReplayError
from plugin.counts.jumps import comes_in_bursts, jumps
from plugin.slo import is_request
from plugin.statistics.evidence import Array, Strata

HOUR = 3600

BUSY = 10.0
"""Requests per interval from which an interval without any is a gap, not a quiet moment."""

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
    in `unread` (as its number). `dropped` counts, by objective, the intervals whose counts are none
    of theirs but the past of a counter that was away: they hold zeros too. `bursting` are the
    objectives on which the judge passes nothing in most hours, for most of their counts are such.
    """

    start: int
    step: int
    tallies: Mapping[str, Tally]
    unread: frozenset[int] = frozenset()
    dropped: Mapping[str, int] = field(default_factory=dict)
    bursting: frozenset[str] = frozenset()

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
    jumping = _jumping(tallies, per_hour, step)
    return History(
        start + first * HOUR,
        step,
        {name: _without(tally, jumping[name]) for name, tally in tallies.items()},
        unread,
        {
            name: int(np.count_nonzero(tally.total[jumping[name]]))
            for name, tally in tallies.items()
        },
        frozenset(
            name
            for name, tally in tallies.items()
            if _bursting(tally.total, jumping[name], per_hour)
        ),
    )


def _jumping(
    tallies: Mapping[str, Tally], per_hour: int, step: int
) -> dict[str, NDArray[np.bool_]]:
    """What the judge leaves out: a jump of requests for all objectives, any other for its own."""
    found = {name: _jumps(tally.total, per_hour, step) for name, tally in tallies.items()}
    requests = [jump for name, jump in found.items() if is_request(name)]
    return {name: np.logical_or.reduce([*requests, jump]) for name, jump in found.items()}


def _jumps(total: Array, per_hour: int, step: int) -> NDArray[np.bool_]:
    """The judge's, hour by hour."""
    found = np.zeros(len(total), dtype=bool)
    for hour, around in _windows(len(total), per_hour):
        jumping = jumps(_one_arm(total[around]), step)
        found[hour] = jumping[hour.start - around.start :][:per_hour]
    return found


def _bursting(total: Array, jumping: NDArray[np.bool_], per_hour: int) -> bool:
    """Whether the judge would hold for it in more than half of the hours."""
    hours = [
        comes_in_bursts(_one_arm(total[around]), jumping[around])
        for hour, around in _windows(len(total), per_hour)
        if total[hour].any()
    ]
    return 2 * sum(hours) > len(hours)


def _windows(length: int, per_hour: int) -> Iterator[tuple[slice, slice]]:
    """Each hour, and it with half an hour on both sides.

    So "usual" is that of two hours, as far as the judge looks back, and what happens at a full hour
    is seen with what follows.
    """
    for first in range(0, length, per_hour):
        end, around = first + per_hour, per_hour // 2
        yield slice(first, end), slice(max(0, first - around), end + around)


def _one_arm(total: Array) -> Strata:
    """All versions together."""
    none = np.zeros(len(total))
    return Strata(none, none, none, total)


def _without(tally: Tally, left_out: NDArray[np.bool_]) -> Tally:
    return Tally(np.where(left_out, 0, tally.bad), np.where(left_out, 0, tally.total))


def check(history: History, service: str, lacking: Mapping[str, str]) -> None:
    """Raises ReplayError when there is nothing, or nothing sound, to replay.

    `lacking` says what an objective's counts did not tell: without that none is good or bad.
    """
    for name, tally in history.tallies.items():
        if name in lacking and not tally.total.any():
            raise ReplayError(lacking[name])
        only = history.dropped.get(name) and not tally.total.any()
        if only or name in history.bursting:
            raise ReplayError(
                f"{'all that' if only else 'most of what'} was counted for {name} comes in jumps, "
                "which the judge leaves out as the past of a counter that was away, and passes "
                "nothing on the rest: choose an objective that is counted steadily"
            )
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
