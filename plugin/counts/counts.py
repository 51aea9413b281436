"""Prometheus' answer → counts per interval and arm, and which intervals may serve as evidence.

All arrays run over the same intervals, oldest first. An interval is left out rather than repaired:
losing evidence only costs time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil
from typing import Self

import numpy as np
from numpy.typing import NDArray

from plugin.counts.answer import Answer, Part
from plugin.counts.cadence import Rarely
from plugin.counts.jumps import jumps
from plugin.indicators import Arm, Counted, Indicator, Source
from plugin.promql.query import MEMORY_SECONDS
from plugin.slo import is_request
from plugin.statistics.evidence import Array, Strata

ARMS = ("canary", "stable")

_ABSENCE_REQUESTS, _ABSENCE_SECONDS, _ABSENCE_SCRAPES = 1000.0, 300, 20
_UNREACHED = "unreached"
_PAIR_SECONDS = 60


@dataclass(frozen=True)
class Counts:
    """Counts of one release. `strata` has the same intervals for every indicator.

    `ends` are the intervals' ends in Unix seconds; `dropped` says how many were left out although
    they had requests, and `quiet` how many requests stable had since the canary's last one.
    `lacking` names the arms of an indicator whose counters do not tell good from bad, and
    `stable_before` is how many requests stable had before the canary's first one. `unsettled` says
    that the newest counts were left out as a jump, which may yet turn out to be traffic, and
    `rarely` that the counters have fewer samples than they should. `apart` are the indicators whose
    arms are scraped each at its own time.
    """

    strata: Mapping[str, Strata]
    ends: NDArray[np.int64]
    seconds: int
    dropped: int
    quiet: float
    lacking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stable_before: float = 0
    unsettled: bool = False
    rarely: Rarely | None = None
    apart: frozenset[str] = frozenset()

    def __getitem__(self, index: slice | NDArray[np.bool_]) -> Self:
        strata = {name: strata[index] for name, strata in self.strata.items()}
        return replace(self, strata=strata, ends=self.ends[index])

    @property
    def requests(self) -> list[Strata]:
        """What counts requests; other events only if there is nothing else."""
        requests = [strata for name, strata in self.strata.items() if is_request(name)]
        return requests or list(self.strata.values())

    @property
    def compared(self) -> Mapping[str, Strata]:
        """The counts as evidence: requests wait for some of the other arm.

        Where one arm's scrapes failed, an interval has minutes of that arm, as many as the query
        remembers; with 15 s of the other it would compare an incident that both had with the time
        after it.
        """
        reach = MEMORY_SECONDS // self.seconds
        return {
            name: paired(strata, reach) if is_request(name) else strata
            for name, strata in self.strata.items()
        }

    @cached_property
    def traffic(self) -> Strata:
        """The indicator with the most requests stands for the traffic of both arms."""
        return max(self.requests, key=lambda s: s.canary_total.sum() + s.stable_total.sum())


def parts(
    indicators: Sequence[Indicator], arms: Mapping[str, Arm], step: int, replicas: Sequence[str]
) -> Iterator[Part]:
    """What to ask for the counts of these indicators."""
    for indicator in indicators:
        for name, arm in arms.items():
            for source in indicator.sources:
                text = source.counted(source.selectors(name, arm), step, replicas)
                yield Part(_part(name, indicator, source), text, source.by, zeros=source.zeros)
            if indicator.unreached and (unreached := indicator.sources[0].unreached(arm)):
                text = indicator.sources[0].counted(unreached, step, replicas)
                yield Part(f"{name} {indicator.name} {_UNREACHED}", text)


def read(
    answer: Answer,
    indicators: Sequence[Indicator],
    warm_up: float = 0,
    pods: tuple[Array, Array] | None = None,
) -> Counts:
    """Counts since the canary's first request; its first `warm_up` seconds are left out.

    `pods` is how many the canary and stable had per interval (NaN where nobody looked). Requests
    that found no pod name no version: they count from the first request that does.
    """
    query = answer.query
    named = {one.name: _strata(answer, one) for one in indicators}
    strata = {one.name: _with_unreached(answer, one, named[one.name]) for one in indicators}
    ends = query.start + query.step * np.arange(query.intervals)
    lacking = {one.name: one.lacking(_sources(answer, one)) for one in indicators}
    counts = Counts(strata, ends, query.step, dropped=0, quiet=0, lacking=lacking)
    plausible = ~implausible(counts)
    traffic = counts[plausible].traffic
    by_name = replace(counts, strata=named)[plausible].traffic.canary_total
    attempt = None if pods is None else attempt_of(*pods, counts.traffic.canary_total)
    first = None if attempt is None else int(np.count_nonzero(plausible[:attempt]))
    born = birth(traffic, query.step, first, by_name)
    began = ends[plausible][born] - query.step if born is not None else query.end
    used = plausible & (ends > began + warm_up)
    busy = counts.traffic.canary_total + counts.traffic.stable_total > 0
    dropped = int(np.count_nonzero(busy & (ends > began) & ~used))
    return replace(
        counts,
        dropped=dropped,
        quiet=quiet(traffic),
        stable_before=float(traffic.stable_total[:born].sum()),
        unsettled=bool((~plausible[busy])[-1:].any()),
    )[used]


def quiet(traffic: Strata) -> float:
    """Stable's requests since the canary's last one."""
    seen = np.flatnonzero(traffic.canary_total)
    return float(traffic.stable_total[seen[-1] + 1 if len(seen) else 0 :].sum())


def birth(
    traffic: Strata, seconds: int, attempt: int | None = None, by_name: Array | None = None
) -> int | None:
    """The first interval, each `seconds` long, of this release's canary; None without a request.

    An earlier attempt at the same version does not count, neither before its successor has its
    first request nor after. `attempt` is where this one's pods came. If that is not known, the
    canary was away if stable served a thousand requests in a row without one for it, and for
    five minutes or 20 intervals: some scrapes that failed are no absence. (At a weight of 1 %
    chance alone does that in one of 20,000 cases, and then costs only time.)

    `by_name` are the requests that name the canary's version: it begins with one of those.
    """
    start = _last_return(traffic, seconds) if attempt is None else attempt
    named = np.flatnonzero(traffic.canary_total if by_name is None else by_name)
    named = named[named >= start] if start is not None else named[:0]
    return int(named[0]) if len(named) else None


def _last_return(traffic: Strata, seconds: int) -> int | None:
    """Where the canary was last seen again after a long absence; None if it is absent now."""
    seen = np.flatnonzero(traffic.canary_total)
    if not len(seen):
        return None
    until = np.append(seen[1:], len(traffic))
    before = np.concatenate(([0.0], np.cumsum(traffic.stable_total)))
    requests = before[until] - before[seen + 1]
    long = min(ceil(_ABSENCE_SECONDS / seconds), _ABSENCE_SCRAPES)
    absences = np.flatnonzero((requests >= _ABSENCE_REQUESTS) & (until - seen > long))
    if not len(absences):
        return int(seen[0])
    back = until[absences[-1]]
    return int(back) if back < len(traffic) else None


def attempt_of(canary_pods: Array, stable_pods: Array, canary_requests: Array) -> int | None:
    """The interval in which the pods of this attempt came; None if its pods are not known.

    They were away where stable has pods, the canary has none, and none of its requests was counted
    either. Where neither arm's pods are known, nobody looked.
    """
    if not (canary_pods > 0).any():
        return None
    away = ~(canary_pods > 0) & (stable_pods > 0) & (canary_requests == 0)
    gone = np.flatnonzero(away)
    return int(gone[-1]) + 1 if len(gone) else 0


def implausible(counts: Counts) -> NDArray[np.bool_]:
    """Intervals with a jump in any indicator of requests.

    That is no traffic but a counter that was away for long (or a first scrape of old counters),
    or many missed intervals in one, in which the weights may have changed.
    """
    found = np.zeros(len(counts.ends), dtype=bool)
    for strata in counts.requests:
        found |= jumps(strata, counts.seconds)
    return found


def stage_start(traffic: Strata, weight: float, before: float = 0) -> int:
    """The first interval of the stage that gives the canary this share (0 to 1) of the traffic.

    It is the most likely moment at which the canary's share rose to it from that of the stage
    `before`, or from half of it if that is more: evidence of the stage before is none for this one.
    The number of intervals if the share has not arrived, be it for a moment or because the traffic
    is not split as it should.
    """
    lower = max(before, weight / 2)
    gain = traffic.canary_total * np.log(weight / lower)
    gain += traffic.stable_total * np.log((1 - weight) / (1 - lower))
    since = np.cumsum(gain[::-1])[::-1]
    return int(np.argmax(since)) if len(since) and since.max() > 0 else len(traffic)


def _part(arm: str, indicator: Indicator, source: Source) -> str:
    return f"{arm} {indicator.name} {source.key}".rstrip()


def _sources(answer: Answer, indicator: Indicator) -> dict[str, Counted]:
    return {
        arm: {one.key: answer.counts[_part(arm, indicator, one)] for one in indicator.sources}
        for arm in ARMS
    }


def _strata(answer: Answer, indicator: Indicator) -> Strata:
    """Counts of both arms, read alike.

    Other events than requests may come in batches: a jump of theirs is left out alone. They may
    also be scraped less often than requests, each pod at a time of its own.
    """
    arrays: list[Array] = []
    sources = _sources(answer, indicator)
    for bad, total in indicator.fold(sources, answer.query.intervals).values():
        arrays += [np.minimum(bad, total), total]
    strata = Strata(*arrays)
    if is_request(indicator.name):
        return strata
    usual = ~jumps(strata, answer.query.step)
    return paired(Strata(*(array * usual for array in arrays)), _PAIR_SECONDS // answer.query.step)


def paired(strata: Strata, reach: int) -> Strata:
    """Events of one arm wait up to `reach` intervals for some of the other to be compared with.

    What is put together depends on how many events there were, and never on how many were bad: so
    it is evidence as before.
    """
    if strata.comparable.all():
        return strata
    arrays = np.stack(
        (strata.canary_bad, strata.canary_total, strata.stable_bad, strata.stable_total)
    )
    # Sums up to each interval: plain lists are faster to walk.
    canary, stable = ([0.0, *np.cumsum(arrays[row]).tolist()] for row in (1, 3))
    first = 0
    for at in range(len(strata)):
        first = max(first, at - reach)
        if canary[at + 1] > canary[first] and stable[at + 1] > stable[first]:
            if first < at:
                arrays[:, at] = arrays[:, first : at + 1].sum(axis=1)
                arrays[:, first:at] = 0
            first = at + 1
    return Strata(*arrays)


def _with_unreached(answer: Answer, indicator: Indicator, strata: Strata) -> Strata:
    """A request that found no pod of its arm failed."""
    if not indicator.unreached:
        return strata
    failed = {
        arm: sum(
            answer.counts.get(f"{arm} {indicator.name} {_UNREACHED}", {}).values(),
            np.zeros(answer.query.intervals),
        )
        for arm in ARMS
    }
    return Strata(
        strata.canary_bad + failed["canary"],
        strata.canary_total + failed["canary"],
        strata.stable_bad + failed["stable"],
        strata.stable_total + failed["stable"],
    )
