"""How long a stage needs to decide, and what a bad release costs until then: for plans.

With m canary and n' = n/ratio stable requests per second at the true bad ratios p and q, ln E of
`plugin.statistics.evidence` grows on average, for every tilt r, by

    g(r) = (m·p·ln a + n·q·ln b - margin·κ) / burst        nats per second

and its variance by v(r) = (m·p·ln² a + n·q·ln² b) / burst, if failures come in clumps of `burst`.
The tilt with the highest g leads. Three things put its goal above ln(1/level):

- The judge's E is the mean over 24 tilts, of which the leading ones have to carry the rest, and
  part of harm's mean is set aside for processes that begin later. Both follow from the path of mean
  counts: at T₀, where ln(share) + ln mean exp g(r)·T₀ = ln(1/level), the leader stands at g*·T₀.
- Harm is only crossed by a failure, which on average jumps half a step (ln a) too far.

From there on it is a random walk with drift towards a barrier, whose time of first passage has the
inverse Gaussian distribution. No constant is fitted. The tests and docs/verdicts.md
compare it with simulated releases.
"""

from dataclasses import dataclass
from math import inf, isfinite, log

import numpy as np

from plugin.policy import Policy
from plugin.scraping import lag
from plugin.slo import SLO, Objective
from plugin.statistics.evidence import HARM, LATE, SAFE, Array
from plugin.statistics.limits import Limits
from plugin.statistics.passage import Passage, earliest

_LIKELY = 0.9
_REGRESSIONS, _SMALLEST = 40, 1e-5  # sizes among which the costliest is looked for


class ImpossiblePlanError(ValueError):
    """An input that no stage can have; the message names it and the fix."""


@dataclass(frozen=True)
class Traffic:
    """Requests per second to both arms together, and the canary's weight in percent."""

    rate: float
    weight: float

    def __post_init__(self) -> None:
        if not (isfinite(self.rate) and self.rate > 0):
            raise ImpossiblePlanError(
                f"rate: {self.rate:g} requests/s decide nothing; give the traffic of both arms"
            )
        if not 0 < self.weight < 100:
            raise ImpossiblePlanError(
                f"weight: at {self.weight:g} % one arm has no requests to compare with; "
                "plan a weight between 0 and 100"
            )

    @property
    def canary(self) -> float:
        """Requests per second to the canary."""
        return self.rate * self.weight / 100

    @property
    def stable(self) -> float:
        """Requests per second to stable."""
        return self.rate - self.canary


@dataclass(frozen=True)
class Times:
    """Seconds from the stage's first request to the verdict; inf if it never comes.

    `in_time` is the probability that it comes within the stage.
    """

    median_seconds: float
    p90_seconds: float
    in_time: float

    @property
    def likely(self) -> bool:
        """Nine of ten times within the stage."""
        return self.in_time >= _LIKELY


@dataclass(frozen=True)
class StagePlan:
    """What to expect of one objective in one stage.

    `to_fail` is the time to catch the assumed regression, `to_pass` that to pass an equal version.
    `cost` is what the assumed regression spends in this stage until it is caught (nine of ten times
    at most that), as a share of the window's error budget; `worst_cost` that of the regression
    which spends most, of any size. Both end with the stage: what is not caught by then goes on at
    this weight where it is held, until a person decides.
    """

    to_fail: Times
    to_pass: Times
    cost: float
    worst_cost: float

    @property
    def decides(self) -> bool:
        """Whether the stage is likely to end by evidence, be the release good or bad."""
        return self.to_fail.likely and self.to_pass.likely


@dataclass(frozen=True)
class PlannedStage:
    """A stage to plan: one objective of an SLO at this traffic, for at most so many seconds.

    `base` is stable's usual bad ratio (a fraction), `scrape` Prometheus' interval in seconds. It is
    planned as if it were the first: evidence against a release, which is carried from stage to
    stage, can only make the later ones faster. Of several objectives, the slowest decides when a
    stage passes, and any of them may fail it.
    """

    traffic: Traffic
    objective: Objective
    slo: SLO
    policy: Policy
    seconds: float
    base: float
    scrape: float = 15.0

    def __post_init__(self) -> None:
        for name in ("seconds", "scrape"):
            value = getattr(self, name)
            if not (isfinite(value) and value > 0):
                raise ImpossiblePlanError(
                    f"{name}: {value:g} is no length of time; give seconds above 0"
                )
        if not 0 <= self.base < 1:
            raise ImpossiblePlanError(
                f"base: {self.base:g} is no bad ratio; give a fraction from 0 to 1"
            )

    @property
    def limits(self) -> Limits:
        return Limits.of(self.objective, self.slo, self.policy)

    @property
    def delay(self) -> float:
        """Seconds from the request that decides to the judge's answer, on average.

        It waits for the end of its interval and for the scrape of every target.
        """
        return self.scrape / 2 + lag(self.scrape)

    def failing(self, regression: float) -> Passage:
        """The way to FAIL of a canary with this bad ratio, by comparison with stable."""
        limits = self.limits
        growth, variance = self._drift(HARM, regression, limits.fail_margin)
        leader, goal = _leader(growth, limits.fail_level, 1 - LATE)
        jump = log(HARM[leader]) + float(_log_b(self.traffic, HARM, self.policy)[leader])
        return Passage(
            growth=float(growth[leader]),
            variance=float(variance[leader]),
            goal=goal + jump / 2,
            tilt=float(HARM[leader]),
            events=self.policy.min_bad,
            frequency=self.traffic.canary * regression,
        )

    def passing(self) -> Passage:
        """The way to PASS of a version that is no worse than stable."""
        limits = self.limits
        growth, variance = self._drift(SAFE, self.base, limits.pass_margin)
        leader, goal = _leader(growth, limits.pass_level, 1.0)
        # While stable itself burns the budget the judge holds, whatever the evidence.
        holds = self.base >= limits.slow_burn
        return Passage(
            growth=0.0 if holds else float(growth[leader]),
            variance=float(variance[leader]),
            goal=goal,
            tilt=float(SAFE[leader]),
            events=self.policy.min_requests,
            frequency=self.traffic.canary,
        )

    def plan(self, regression: float) -> StagePlan:
        """What to expect if a bad release fails this fraction of its requests."""
        if not self.base < regression <= 1:
            raise ImpossiblePlanError(
                f"regression: {regression:g} is not worse than the base of {self.base:g}; "
                "give the bad ratio of a release that should be caught, up to 1"
            )
        fail = self.failing(regression)
        sizes = [float(size) for size in np.geomspace(max(self.base, _SMALLEST), 1, _REGRESSIONS)]
        return StagePlan(
            to_fail=self._times(fail),
            to_pass=self._times(self.passing()),
            cost=self._cost(regression, fail),
            worst_cost=max(self._cost(size, self.failing(size)) for size in (regression, *sizes)),
        )

    def _times(self, passage: Passage) -> Times:
        usable = self.seconds
        if self.policy.lookback is not None:
            usable = min(usable, self.policy.lookback.total_seconds())
        return Times(
            passage.seconds(0.5) + self.delay,
            passage.seconds(_LIKELY) + self.delay,
            passage.chance(usable - self.delay),
        )

    def _cost(self, regression: float, fail: Passage) -> float:
        """Of the budget of all requests in the window, at a traffic that stays the same."""
        seconds = min(fail.seconds(_LIKELY) + self.delay, self.seconds)
        allowed = float(self.objective.budget) * self.slo.window.total_seconds()
        return self.traffic.weight / 100 * regression * seconds / allowed

    def _drift(self, tilts: Array, ratio: float, margin: float) -> tuple[Array, Array]:
        return drift(self.traffic, tilts, (ratio, self.base), margin, self.policy)


def drift(
    traffic: Traffic, tilts: Array, ratios: tuple[float, float], margin: float, policy: Policy
) -> tuple[Array, Array]:
    """The g and v of every tilt (nats and nats² per second) at true bad ratios (canary, stable)."""
    canary, stable = traffic.canary, traffic.stable / policy.ratio
    log_b = _log_b(traffic, tilts, policy)
    log_a = np.log(tilts) + log_b
    bad, stable_bad = canary * ratios[0], traffic.stable * ratios[1]
    cost = canary * stable * (tilts - 1) / (canary * tilts + stable)
    growth = bad * log_a + stable_bad * log_b - margin * cost
    return growth / policy.burst, (bad * log_a**2 + stable_bad * log_b**2) / policy.burst


def _log_b(traffic: Traffic, tilts: Array, policy: Policy) -> Array:
    canary, stable = traffic.canary, traffic.stable / policy.ratio
    return np.log((canary + stable) / (canary * tilts + stable))


def _leader(growth: Array, level: float, share: float) -> tuple[int, float]:
    """The leading tilt, and where it stands once the mean of all, times `share`, is 1/level."""
    leader = int(growth.argmax())
    fastest = float(growth[leader])
    if fastest <= 0:
        return leader, inf

    def reached(seconds: float) -> bool:
        highest = fastest * seconds
        mean = highest + log(float(np.exp(growth * seconds - highest).mean()))
        return mean >= -log(level * share)

    return leader, fastest * earliest(reached, (log(len(growth)) - log(level * share)) / fastest)
