"""Releases the versions of a row many times, and lets every judge decide on the same counts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import ceil, log

import numpy as np

from benchmarks.verdicts import sluice
from benchmarks.verdicts.competitors import COMPETITORS, Competitor
from benchmarks.verdicts.competitors.threshold import with_hindsight
from benchmarks.verdicts.scenarios import (
    INTERVALS,
    SECONDS,
    Ending,
    Outcome,
    Release,
    Row,
    rows,
    warm_up,
)
from plugin.policy import Policy
from plugin.statistics.evidence import HARM, Array
from plugin.statistics.limits import Limits
from plugin.statistics.power import Traffic, drift

SLUICE, HINDSIGHT = "Sluice", "a threshold set with hindsight"
_CHUNK = 50


@dataclass(frozen=True)
class Chunk:
    """So many releases of one version of a row (both by number), with random numbers of their own.

    The `number` within the version makes them the same however many processes share the work.
    """

    row: int
    version: int
    number: int
    releases: int
    seed: int


@dataclass(frozen=True)
class Results:
    """One judge's decisions on one version, per release.

    `caught` are the seconds of counts until it aborted (inf if it did not), `held` says that it
    left the release undecided, and `failed` are the requests that the version failed in the hour.
    """

    caught: Array
    held: Array
    failed: Array

    @property
    def aborted(self) -> float:
        """A share, as the next ones."""
        return float(np.isfinite(self.caught).mean())

    @property
    def undecided(self) -> float:
        return float(self.held.mean())

    @property
    def promoted(self) -> float:
        return float((np.isinf(self.caught) & (self.held == 0)).mean())

    def within(self, share: float) -> float:
        """The seconds after which this share of all releases was aborted; inf if never."""
        return float(np.quantile(self.caught, share, method="higher"))


def chunks(releases: int, seed: int) -> Iterator[Chunk]:
    """The whole work, row by row."""
    for number, row in enumerate(rows()):
        for version in range(len(row.versions)):
            for part in range(ceil(releases / _CHUNK)):
                size = min(_CHUNK, releases - part * _CHUNK)
                yield Chunk(number, version, part, size, seed)


def run(chunk: Chunk) -> Mapping[str, Results]:
    """By judge."""
    row = list(rows())[chunk.row]
    extra = row.versions[chunk.version]
    random = np.random.default_rng((chunk.seed, chunk.row, chunk.version, chunk.number))
    releases = [row.release(extra, random) for _ in range(chunk.releases)]
    return {name: _results(row, extra, releases, judge) for name, judge in JUDGES.items()}


def joined(parts: list[Results]) -> Results:
    return Results(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("caught", "held", "failed")
        )
    )


def oracle(row: Row, extra: float) -> float:
    """The seconds in which a judge that knew all true ratios would catch this version on average.

    It is the time in which ln E of the best tilt grows to ln(1/level) at the judge's own fail
    margin and level; failures that come in clumps are worth the less, the larger these are.
    """
    limits = Limits.of(sluice.OBJECTIVE, sluice.SERVICE, row.policy)
    policy = Policy(burst=row.dispersion)
    canary, stable = row.ratios(extra)
    growth = np.zeros(INTERVALS)
    for at in range(warm_up(row.policy), INTERVALS):
        traffic = Traffic(row.rate, float(row.weight[at]))
        ratios = float(canary[at]), float(stable[at])
        per_second, _ = drift(traffic, HARM, ratios, limits.fail_margin, policy)
        growth[at] = max(per_second.max(), 0.0) * SECONDS
    evidence = np.concatenate(([0.0], np.cumsum(growth)))
    goal = -log(limits.fail_level)
    if evidence[-1] < goal:
        return float("inf")
    return float(np.interp(goal, evidence, SECONDS * np.arange(INTERVALS + 1)))


def _elsewhere(aborts: Competitor, release: Release) -> Outcome:
    """The warm-up is left out for all alike: both controllers can start their analysis later."""
    used = warm_up(release.policy)
    at = aborts(release.strata[used:])
    if at is None:
        return Outcome(Ending.PROMOTED, len(release))
    return Outcome(Ending.ABORTED, used + at)


JUDGES: dict[str, Callable[[Release], Outcome]] = {
    SLUICE: sluice.outcome,
    **{name: partial(_elsewhere, aborts) for name, aborts in COMPETITORS.items()},
    HINDSIGHT: partial(_elsewhere, with_hindsight),
}


def _results(
    row: Row, extra: float, releases: list[Release], judge: Callable[[Release], Outcome]
) -> Results:
    ratio, _ = row.ratios(extra)
    everybody = row.rate * SECONDS * ratio  # failures per interval once it serves all requests
    caught, held, failed = (np.zeros(len(releases)) for _ in range(3))
    for number, release in enumerate(releases):
        outcome = judge(release)
        until = outcome.intervals
        caught[number] = until * SECONDS if outcome.ending is Ending.ABORTED else np.inf
        held[number] = outcome.ending is Ending.HELD
        failed[number] = release.strata.canary_bad[:until].sum()
        if outcome.ending is Ending.PROMOTED:
            failed[number] += everybody[until:].sum()
    return Results(caught, held, failed)
