"""Prometheus' answer → counts per interval and arm, and which intervals may serve as evidence.

All arrays run over the same intervals, oldest first. An interval is left out rather than repaired:
losing evidence only costs time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from plugin.counts.answer import Answer, Part
from plugin.counts.birth import attempt_of, birth, quiet
from plugin.counts.cadence import Rarely
from plugin.counts.jumps import comes_in_bursts, jumps
from plugin.counts.pairing import paired
from plugin.indicators import Arm, Counted, Indicator, Source
from plugin.promql.query import MEMORY_SECONDS
from plugin.slo import is_request
from plugin.statistics.evidence import Array, Strata

ARMS = ("canary", "stable")

_UNREACHED, _ELSEWHERE, _UNSCRAPED = "unreached", "elsewhere", "unscraped"
_PAIR_SECONDS = 60


@dataclass(frozen=True)
class Counts:
    """Counts of one release. `strata` has the same intervals for every indicator.

    `ends` are the intervals' ends in Unix seconds; `dropped` says how many were left out although
    they had requests, and `quiet` how many requests stable had since the canary's last one.
    `lacking` names the arms of an indicator whose counters do not tell good from bad, `elsewhere`
    the indicators whose parts are not scraped together (they have no counts then), and
    `stable_before` is how many requests stable had before the canary's first one. `unsettled` says
    that the newest counts were left out as a jump, which may yet turn out to be traffic, and
    `rarely` that the counters have fewer samples than they should. `unscraped` are the indicators
    some of whose pods cannot be scraped now, and how many, by arm; `bursting` are those most of
    whose counts were left out as jumps, before the canary's first request or since.
    """

    strata: Mapping[str, Strata]
    ends: NDArray[np.int64]
    seconds: int
    dropped: int
    quiet: float
    lacking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset()
    stable_before: float = 0
    unsettled: bool = False
    rarely: Rarely | None = None
    unscraped: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    bursting: frozenset[str] = frozenset()

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
            if text := indicator.elsewhere(name, arm):
                yield Part(f"{name} {indicator.name} {_ELSEWHERE}", text, counts=False)
            if text := indicator.unscraped(name, arm):
                yield Part(f"{name} {indicator.name} {_UNSCRAPED}", text, counts=False)


def read(
    answer: Answer,
    indicators: Sequence[Indicator],
    warm_up: float = 0,
    pods: tuple[Array, Array] | None = None,
    rarely: Rarely | None = None,
) -> Counts:
    """Counts since the canary's first request; its first `warm_up` seconds are left out.

    `pods` is how many the canary and stable had per interval (NaN where nobody looked), `rarely`
    what `plugin.counts.cadence` found. Requests that found no pod name no version: they count from
    the first request that does.
    """
    query = answer.query
    folded = {one.name: _folded(answer, one) for one in indicators}
    jumping = {
        name: jumps(strata, query.step) for name, strata in folded.items() if not is_request(name)
    }
    named = {
        name: _events(strata, jumping[name], query.step) if name in jumping else strata
        for name, strata in folded.items()
    }
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
    elsewhere = frozenset(one.name for one in indicators if _elsewhere(answer, one)[used].any())
    bursting = frozenset(
        name
        for name, strata in folded.items()
        if comes_in_bursts(strata, jumping.get(name, ~plausible))
    )
    nothing = {name: Strata(*np.zeros((4, len(ends)))) for name in elsewhere}
    return replace(
        counts,
        strata={**strata, **nothing},
        dropped=dropped,
        quiet=quiet(traffic),
        elsewhere=elsewhere,
        stable_before=float(traffic.stable_total[:born].sum()),
        unsettled=bool((~plausible[busy])[-1:].any()),
        rarely=rarely,
        unscraped={one.name: failed for one in indicators if (failed := _unscraped(answer, one))},
        bursting=bursting,
    )[used]


def implausible(counts: Counts) -> NDArray[np.bool_]:
    """Intervals with a jump in any indicator of requests.

    That is no traffic but a counter that was away for long (or a first scrape of old counters),
    or many missed intervals in one, in which the weights may have changed.
    """
    found = np.zeros(len(counts.ends), dtype=bool)
    for strata in counts.requests:
        found |= jumps(strata, counts.seconds)
    return found


def _part(arm: str, indicator: Indicator, source: Source) -> str:
    return f"{arm} {indicator.name} {source.key}".rstrip()


def _sources(answer: Answer, indicator: Indicator) -> dict[str, Counted]:
    return {
        arm: {one.key: answer.counts[_part(arm, indicator, one)] for one in indicator.sources}
        for arm in ARMS
    }


def _elsewhere(answer: Answer, indicator: Indicator) -> NDArray[np.bool_]:
    """The intervals in which good or bad events were counted on a target that has no total."""
    values = (answer.value(f"{arm} {indicator.name} {_ELSEWHERE}") for arm in ARMS)
    return np.logical_or(*(value > 0 for value in values))


def _unscraped(answer: Answer, indicator: Indicator) -> dict[str, int]:
    """How many pods cannot be scraped now, of the arms of which it matters."""
    now = {arm: answer.value(f"{arm} {indicator.name} {_UNSCRAPED}")[-1] for arm in ARMS}
    return {arm: int(failed) for arm, failed in now.items() if failed > 0}


def _folded(answer: Answer, indicator: Indicator) -> Strata:
    """Counts of both arms, read alike."""
    arrays: list[Array] = []
    sources = _sources(answer, indicator)
    for bad, total in indicator.fold(sources, answer.query.intervals).values():
        arrays += [np.minimum(bad, total), total]
    return Strata(*arrays)


def _events(strata: Strata, jumping: NDArray[np.bool_], seconds: int) -> Strata:
    """Other events than requests may come in batches: a jump of theirs is left out alone.

    They may also be scraped less often than requests, each pod at a time of its own.
    """
    arms = (strata.canary_bad, strata.canary_total, strata.stable_bad, strata.stable_total)
    return paired(Strata(*(array * ~jumping for array in arms)), _PAIR_SECONDS // seconds)


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
