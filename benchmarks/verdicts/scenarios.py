"""The rows of the benchmark: traffic, error ratios and weights over one hour, and their counts.

Every row has an equal version and two regressions. All judges are shown the same counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cli.replay import dispersion, recommend
from plugin.counts.birth import birth
from plugin.policy import Policy
from plugin.statistics.evidence import Array, Strata

SECONDS = 15
"""Length of an interval: Prometheus' usual scrape interval. Every judge may look after each."""
INTERVALS = 240
"""One hour."""
AVAILABILITY = 99.9
"""The objective, in percent: an error budget of 0.1 %, which is also stable's usual bad ratio."""

_HISTORY_HOURS, _PER_HOUR = 24, 3600 // SECONDS


@dataclass(frozen=True, eq=False)
class Row:
    """One situation. `weights` and `base` (stable's bad ratio) hold for equal parts of the hour.

    `shock` adds a bad ratio to both arms between two intervals; `cold` adds one to the canary alone
    in its first intervals; `clump` is how many failures come together on average, and `tempered`
    says that the policy's `burst` comes from the day before. `fits` is false where the policy is
    known to be wrong for the service, to show what that costs.
    """

    name: str
    about: str
    rate: float = 100.0
    weights: tuple[int, ...] = (10,)
    base: tuple[float, ...] = (0.001,)
    extra: tuple[float, float] = (0.009, 0.002)
    shock: tuple[int, int, float] = (0, 0, 0.0)
    cold: tuple[int, float] = (0, 0.0)
    clump: float = 1.0
    tempered: bool = False
    policy: Policy = field(default_factory=Policy)
    fits: bool = True

    @property
    def dispersion(self) -> float:
        """E[size²]/E[size] of the clumps in which failures come."""
        return 2 * self.clump - 1

    @property
    def versions(self) -> tuple[float, ...]:
        """The extra bad ratio of each version that is released; the first is no worse."""
        return (0.0, *self.extra)

    @cached_property
    def weight(self) -> NDArray[np.int64]:
        """The canary's weight per interval, in percent."""
        return np.repeat(self.weights, INTERVALS // len(self.weights))

    @property
    def shares(self) -> Array:
        return self.weight / 100

    def ratios(self, extra: float) -> tuple[Array, Array]:
        """The true bad ratios of canary and stable per interval."""
        stable = np.repeat(self.base, INTERVALS // len(self.base))
        begin, end, ratio = self.shock
        stable[begin:end] += ratio
        canary = stable + extra
        canary[: self.cold[0]] += self.cold[1]
        return canary, stable

    def release(self, extra: float, random: np.random.Generator) -> "Release":
        """Counts of one release, and the policy that its team would judge it by."""
        policy = self.policy
        if self.tempered:
            policy = policy.model_copy(update={"burst": self._burst(random)})
        canary, stable = self.ratios(extra)
        total = self.rate * SECONDS
        counts = (
            *_count(total * self.shares, canary, self.clump, random),
            *_count(total * (1 - self.shares), stable, self.clump, random),
        )
        return Release(Strata(*counts), self.weight, self.weights[-1], policy)

    def _burst(self, random: np.random.Generator) -> float:
        """What `sluice replay` would recommend, from stable's requests on the day before."""
        total = np.full(_HISTORY_HOURS * _PER_HOUR, self.rate * SECONDS)
        ratio = np.full(len(total), self.base[0])
        tally = _count(total, ratio, self.clump, random)
        windows = [
            dispersion.measure(*tally, SECONDS, _PER_HOUR, window) for window in (SECONDS, 60)
        ]
        return recommend.burst({"availability": windows}) or 1.0


@dataclass(frozen=True)
class Release:
    """What one release would show if nobody stopped it: counts and weight of every interval."""

    strata: Strata
    weight: NDArray[np.int64]
    final: int
    policy: Policy

    def __len__(self) -> int:
        return len(self.weight)

    def __getitem__(self, index: slice) -> "Release":
        return replace(self, strata=self.strata[index], weight=self.weight[index])

    @property
    def begins(self) -> int:
        """The first interval that counts: since the canary's first request, after the warm-up."""
        born = birth(self.strata, SECONDS)
        return len(self) if born is None else min(born + warm_up(self.policy), len(self))

    @property
    def last_stage(self) -> NDArray[np.bool_]:
        """Where the weight is the last stage's, whose pass promotes the release."""
        return self.weight == self.final


class Ending(StrEnum):
    ABORTED = "aborted"
    PROMOTED = "promoted"
    HELD = "held"
    """Undecided until the hour is over: a person is asked."""


@dataclass(frozen=True)
class Outcome:
    """How a release ended, and after how many intervals of counts."""

    ending: Ending
    intervals: int


def warm_up(policy: Policy) -> int:
    """In intervals."""
    return int(policy.warm_up.total_seconds() // SECONDS)


def _count(
    expected: Array, ratio: Array, clump: float, random: np.random.Generator
) -> tuple[Array, Array]:
    """(bad, total) per interval; bad requests come in clumps of geometric size, mean `clump`."""
    total = random.poisson(expected)
    if clump == 1:
        bad = random.binomial(total, ratio)
    else:
        clumps = random.poisson(total * ratio / clump)
        bad = clumps.copy()
        some = clumps > 0
        # k clumps of a geometric size each are k and a negative binomial number more.
        bad[some] += random.negative_binomial(clumps[some], 1 / clump)
    return np.minimum(bad, total).astype(np.float64), total.astype(np.float64)


def rows() -> Iterator[Row]:
    """All rows, in the order of the report."""
    yield Row("steady", "100 requests/s, 10 % weight, stable fails 0.1 %")
    yield Row(
        "ramping weight", "5, 10, 25, 50 %, a quarter of an hour each", weights=(5, 10, 25, 50)
    )
    yield Row(
        "base follows weight",
        "5 → 50 % weight while both arms go from 0.1 to 1 % errors",
        weights=(5, 50),
        base=(0.001, 0.01),
    )
    yield Row(
        "common incident",
        "a dependency fails 5 % of both arms' requests in minutes 5 to 15",
        shock=(20, 60, 0.05),
    )
    bursts = Row(
        "bursts, untempered",
        "failures in clumps of 5 on average; burst: 1",
        clump=5.0,
        fits=False,
    )
    yield bursts
    yield replace(
        bursts,
        name="bursts, tempered",
        about="the same; burst estimated from the day before",
        tempered=True,
        fits=True,
    )
    yield Row("low traffic", "5 requests/s, 10 % weight", rate=5.0, extra=(0.049, 0.009))
    cold = Row(
        "cold start, no warm-up",
        "the canary fails 2 % more in its first 90 s; warm_up: 0s",
        cold=(6, 0.02),
        fits=False,
    )
    yield cold
    yield replace(
        cold,
        name="cold start, warm-up",
        about="the same; warm_up: 2m",
        policy=Policy(warm_up=timedelta(minutes=2)),
        fits=True,
    )
