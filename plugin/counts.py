"""Prometheus' answer → counts per interval and arm, and which intervals may serve as evidence.

All arrays run over the same intervals, oldest first. An interval is left out rather than repaired:
losing evidence only costs time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from plugin.evidence import Array, Strata
from plugin.indicators import Indicator
from plugin.prometheus import QueryError, Series
from plugin.promql import SERIES, Query

ARMS = ("canary", "stable")

_JUMP_FACTOR, _JUMP_FLOOR = 10.0, 100.0
_QUIET_REQUESTS = 1000.0
_MAX_COUNT = 1e12


@dataclass(frozen=True)
class Counts:
    """Counts of one release. `strata` has the same intervals for every indicator.

    `ends` are the intervals' ends in Unix seconds; `dropped` says how many were left out although
    they had requests, and `quiet` how many requests stable had since the canary's last one.
    """

    strata: Mapping[str, Strata]
    ends: NDArray[np.int64]
    seconds: int
    dropped: int
    quiet: float

    def __getitem__(self, index: slice | NDArray[np.bool_]) -> Self:
        strata = {name: strata[index] for name, strata in self.strata.items()}
        return replace(self, strata=strata, ends=self.ends[index])

    @property
    def traffic(self) -> Strata:
        """The indicator with the most requests stands for the traffic of both arms."""
        return max(self.strata.values(), key=lambda s: s.canary_total.sum() + s.stable_total.sum())


def read(
    series: Sequence[Series], query: Query, indicators: Sequence[Indicator], warm_up: float = 0
) -> Counts:
    """Counts since the canary's first request; its first `warm_up` seconds are left out.

    Raises QueryError if the answer is none to this query.
    """
    grouped = _group(series, query, indicators)
    strata = {}
    for indicator in indicators:
        arms = []
        for arm in ARMS:
            bad, total = indicator.fold(grouped[f"{arm} {indicator.name}"], query.intervals)
            arms += [np.minimum(bad, total), total]
        strata[indicator.name] = Strata(*arms)
    ends = query.start + query.step * np.arange(query.intervals)
    counts = Counts(strata, ends, query.step, dropped=0, quiet=0)
    plausible = ~implausible(counts)
    traffic = counts[plausible].traffic
    born = birth(traffic)
    began = ends[plausible][born] - query.step if born is not None else query.end
    used = plausible & (ends > began + warm_up)
    busy = counts.traffic.canary_total + counts.traffic.stable_total > 0
    dropped = int(np.count_nonzero(busy & (ends > began) & ~used))
    return replace(counts, dropped=dropped, quiet=quiet(traffic))[used]


def quiet(traffic: Strata) -> float:
    """Stable's requests since the canary's last one."""
    seen = np.flatnonzero(traffic.canary_total)
    return float(traffic.stable_total[seen[-1] + 1 if len(seen) else 0 :].sum())


def birth(traffic: Strata) -> int | None:
    """The first interval of this release's canary; None if it had no request.

    An earlier attempt at the same version does not count, neither before its successor has its
    first request nor after: the canary was away if stable served a thousand requests in a row
    without one for it. (At a weight of 1 % chance alone does that in
    one of 20,000 cases, and then costs only time.)
    """
    seen = np.flatnonzero(traffic.canary_total)
    if not len(seen) or quiet(traffic) >= _QUIET_REQUESTS:
        return None
    before = np.concatenate(([0.0], np.cumsum(traffic.stable_total)))
    between = before[seen[1:]] - before[seen[:-1] + 1]
    returns = np.flatnonzero(between >= _QUIET_REQUESTS)
    return int(seen[returns[-1] + 1] if len(returns) else seen[0])


def implausible(counts: Counts) -> NDArray[np.bool_]:
    """Intervals with ten times the usual number of requests in any indicator.

    That is no traffic but a counter that was away for long (or a first scrape of old counters),
    or many missed intervals in one, in which the weights may have changed.
    """
    jumps = np.zeros(len(counts.ends), dtype=bool)
    for strata in counts.strata.values():
        total = strata.canary_total + strata.stable_total
        usual = np.median(total[total > 0]) if total.any() else 0.0
        jumps |= total > max(_JUMP_FACTOR * usual, _JUMP_FLOOR)
    return jumps


def stage_start(traffic: Strata, weight: float) -> int:
    """The first interval of the stage that gives the canary this share (0 to 1) of the traffic.

    It is the most likely moment at which the canary's share rose from half the weight to the
    weight: evidence of the stage before is none for this one. The number of intervals if the share
    has not arrived, be it for a moment or because the traffic is not split as it should.
    """
    half = weight / 2
    gain = traffic.canary_total * np.log(weight / half)
    gain += traffic.stable_total * np.log((1 - weight) / (1 - half))
    since = np.cumsum(gain[::-1])[::-1]
    return int(np.argmax(since)) if len(since) and since.max() > 0 else len(traffic)


def _group(
    series: Sequence[Series], query: Query, indicators: Sequence[Indicator]
) -> dict[str, dict[str, Array]]:
    """Counts per part of the query and value of the label it is summed by."""
    labels = {
        f"{arm} {indicator.name}": indicator.label for indicator in indicators for arm in ARMS
    }
    grouped: dict[str, dict[str, Array]] = {part: {} for part in labels}
    for one in series:
        part = one.metric.get(SERIES, "")
        if part not in labels:
            raise QueryError(f"Prometheus answered nonsense: a series named {part!r}")
        value = one.metric.get(labels[part], "")
        if value in grouped[part]:
            raise QueryError(f"Prometheus answered nonsense: {part} {value!r} twice")
        grouped[part][value] = _aligned(one, query)
    return grouped


def _aligned(series: Series, query: Query) -> Array:
    """One count per interval; an interval without a sample had no requests."""
    aligned = np.zeros(query.intervals)
    if series.values:
        times, values = np.array(series.values, dtype=np.float64).T
        index = np.rint((times - query.start) / query.step)
        inside = index.min() >= 0 and index.max() < query.intervals
        if not inside or values.min() < 0 or values.max() > _MAX_COUNT:
            raise QueryError("Prometheus answered nonsense: samples outside of the question")
        aligned[index.astype(np.int64)] = values
    return aligned
