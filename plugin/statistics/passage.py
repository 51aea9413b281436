"""The time that evidence takes to its goal: first passage of a random walk with drift.

ln E grows by independent steps, so over many of them its time to a barrier has the inverse Gaussian
distribution, with the growth per second as drift.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import erfc, exp, inf, lgamma, log, pi, sqrt
from statistics import NormalDist

_MANY = 200  # events, from which a normal distribution is as good as Poisson's
_LARGEST_SECONDS = 1e9  # thirty years: never


@dataclass(frozen=True)
class Passage:
    """The time a random walk takes to its goal: the judge's to one of its two decisions.

    `growth` is in nats per second (0 or less: never), `variance` in nats² per second, `goal` in
    nats. Besides it takes `events`, of which there are `frequency` per second; `tilt` is the r that
    leads.
    """

    growth: float
    variance: float
    goal: float
    tilt: float
    events: int
    frequency: float

    def chance(self, seconds: float) -> float:
        """The probability of having decided after so many seconds of counts."""
        if self.growth <= 0 or seconds <= 0:
            return 0.0
        passed = _first_passage(self.growth, self.variance, self.goal, seconds)
        return min(passed, _at_least(self.events, self.frequency * seconds))

    def seconds(self, share: float) -> float:
        """After so many seconds of counts this share of releases has decided; inf if never."""
        if self.growth <= 0 or self.chance(_LARGEST_SECONDS) < share:
            return inf
        return earliest(lambda seconds: self.chance(seconds) >= share, _LARGEST_SECONDS)


def _first_passage(growth: float, variance: float, goal: float, seconds: float) -> float:
    """The distribution function of the inverse Gaussian: Φ(u) + exp(2·g·h/v)·Φ(-w).

    u, w = (g·t ∓ h)/√(v·t). The second term is written as exp(-u²/2) times the tail at w without
    its exponential, which cannot overflow.
    """
    if not variance:
        return float(growth * seconds >= goal)
    deviation = sqrt(variance * seconds)
    u, w = (growth * seconds - goal) / deviation, (growth * seconds + goal) / deviation
    tail = exp(w * w / 2) * erfc(w / sqrt(2)) / 2 if w < 10 else (1 - w**-2) / (w * sqrt(2 * pi))
    return min(1.0, NormalDist().cdf(u) + exp(-u * u / 2) * tail)


def _at_least(events: int, expected: float) -> float:
    """The probability of at least so many events, if they come independently."""
    if events > _MANY:
        return NormalDist().cdf((expected - events) / sqrt(expected))
    fewer = (exp(k * log(expected) - expected - lgamma(k + 1)) for k in range(events))
    return max(0.0, 1.0 - sum(fewer))


def earliest(reached: Callable[[float], bool], at_most: float) -> float:
    """The time from which on `reached` holds, to one part in a million; it holds at `at_most`."""
    low, high = log(1e-6), log(at_most)
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (low, middle) if reached(exp(middle)) else (middle, high)
    return exp(high)
