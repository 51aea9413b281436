"""The evidence for or against a release: a stratified offset-Poisson e-process.

One stratum is one interval of time: of `m` canary requests `X` were bad, of `n` stable requests
`Y`. For the null hypothesis "the canary's bad ratio is at most `ratio` times stable's, plus
`margin`" and any tilt r > 1, with n' = n/ratio, D = m·r + n', a = r(m + n')/D, b = (m + n')/D and
κ = m·n'(r - 1)/D,

    ln e(r) = X·ln a + Y·ln b - margin·κ

has E[e] ≤ 1 whatever the true ratios are, because E[a^X] ≤ exp(m·p(a - 1)) for requests that fail
independently. They may differ from interval to interval: incidents shared by both arms cancel, and
so do changing weights. r < 1 tests the opposite: "the canary is worse by more than the margin".
Sums over strata and means over tilts stay valid, and by Ville's inequality such a process ever
exceeds 1/level with probability at most `level`: it may be looked at as often as one likes.

Raising E to 1/burst keeps that true when failures come in clumps of up to `burst`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HARM = np.geomspace(1.25, 64.0, 24)
"""Tilts for "the canary is worse"; the mean over them needs no guess of how much worse."""
SAFE = 1.0 / HARM
"""Tilts for "the canary is not worse by more than the margin"."""

_STEPS, _CLOSE = 100, 1e-10


@dataclass(frozen=True)
class Strata:
    """Counts per interval and arm: four arrays of one length."""

    canary_bad: Array
    canary_total: Array
    stable_bad: Array
    stable_total: Array

    def __len__(self) -> int:
        return len(self.canary_total)

    def __getitem__(self, index: slice | NDArray[np.bool_]) -> Self:
        return type(self)(
            self.canary_bad[index],
            self.canary_total[index],
            self.stable_bad[index],
            self.stable_total[index],
        )

    @property
    def share(self) -> float:
        """The canary's share of all requests; 0 if there were none."""
        canary = float(self.canary_total.sum())
        return canary / (canary + float(self.stable_total.sum())) if canary else 0.0

    @property
    def comparable(self) -> NDArray[np.bool_]:
        """The intervals in which both arms had requests; the others compare nothing."""
        return (self.canary_total > 0) & (self.stable_total > 0)


@dataclass(frozen=True)
class Evidence:
    """Sufficient statistics per tilt: ln E(tilt) = gain - margin·cost, for every margin."""

    gain: Array
    cost: Array

    def __or__(self, other: Self) -> Self:
        """The mean of both processes (of equally many tilts each), which is valid as well."""
        return type(self)(
            np.concatenate((self.gain, other.gain)), np.concatenate((self.cost, other.cost))
        )

    def log_e(self, margin: float) -> float:
        """The natural logarithm of E for a null hypothesis with this margin, a fraction."""
        return float(_log_mean_exp(self.gain - margin * self.cost))

    def lower(self, level: float) -> float:
        """From harm evidence: the lower end of the canary's extra bad ratio.

        It is the margin at which E is exactly 1/level, so the truth is ever below it with
        probability at most `level`, at all looks together. -1 when nothing is known.
        """
        return self._crossing(-np.log(level), -1.0)

    def upper(self, level: float) -> float:
        """From safe evidence: the upper end of the extra bad ratio; 1 when nothing is known."""
        return self._crossing(-np.log(level), 1.0)

    def _crossing(self, threshold: float, margin: float) -> float:
        """The margin at which ln E falls to the threshold on the way from `margin`, -1 or 1, to 0.

        Newton's method: ln E is convex in the margin, so no step goes too far, and where it ends
        nothing more has been claimed than is proven.
        """
        farthest = -margin
        for _ in range(_STEPS):
            exponents = self.gain - margin * self.cost
            highest = exponents.max()
            shares = np.exp(exponents - highest)
            total = shares.sum()
            above = highest + np.log(total / len(shares)) - threshold
            if above <= 0:
                break
            step = above * total / (shares @ self.cost)
            if (margin + step) * farthest >= 1:
                return farthest
            margin += step
            if abs(step) < _CLOSE:
                break
        return float(margin)


Starts = Sequence[tuple[int, float]]
"""When processes begin (comparable interval) and their weights, which add up to 1 at most."""

AT_ONCE: Starts = ((0, 1.0),)

LATE, _RESTARTS = 0.2, 6
"""How much of the evidence is set aside for releases that turn bad, and for how many processes."""


def with_restarts(window: int) -> Starts:
    """Mostly a process from the beginning, and some from `window`, twice, four times … later."""
    later = [window * 2**power for power in range(_RESTARTS)]
    return ((0, 1 - LATE), *((start, LATE / _RESTARTS) for start in later))


@dataclass(frozen=True)
class Process:
    """What each comparable interval adds to ln E, per tilt: ln e = gain - margin·cost."""

    gain: Array
    cost: Array

    @classmethod
    def of(cls, strata: Strata, tilts: Array, ratio: float = 1.0, burst: float = 1.0) -> Self:
        """Strata without requests on both sides compare nothing and are left out."""
        usable = strata[strata.comparable]
        canary, stable = usable.canary_total[:, None], usable.stable_total[:, None] / ratio
        denominator = canary * tilts + stable
        log_b = np.log((canary + stable) / denominator)
        bad, stable_bad = usable.canary_bad[:, None], usable.stable_bad[:, None]
        gain = (bad * (np.log(tilts) + log_b) + stable_bad * log_b) / burst
        return cls(gain, canary * stable * (tilts - 1) / denominator / burst)

    def __getitem__(self, index: slice) -> Self:
        return type(self)(self.gain[index], self.cost[index])

    def evidence(self, starts: Starts = AT_ONCE) -> Evidence:
        """As it stands at the end.

        A process that began with the release has learned that it is good, and is slow to unlearn it
        when it turns bad. So others may begin later: fixed beforehand, the weighted mean of all is
        as valid as each.
        """
        begun = [(start, weight) for start, weight in starts if start <= len(self.gain)]
        at, weights = np.array(begun).T
        since = (np.arange(len(self.gain)) >= at[:, None]).astype(np.float64)
        gain = since @ self.gain + np.log(weights * len(begun))[:, None]
        return Evidence(gain.ravel(), (since @ self.cost).ravel())

    def course(self, margin: float, starts: Starts) -> Array:
        """The ln E of `evidence` for this margin as it stood after each comparable interval."""
        so_far = np.cumsum(self.gain - margin * self.cost, axis=0)
        # A process that began later is the whole one over what that was when it began. So all of
        # them together are the whole one times a factor, which changes only where another begins.
        factor = np.full(so_far.shape, -np.inf)
        for start, weight in sorted(starts):
            if start <= len(so_far):
                first = max(start - 1, 0)
                until = so_far[first] if start else 0.0
                factor[first:] = np.logaddexp(factor[first:][:1], np.log(weight) - until)
        return _log_mean_exp(so_far + factor)


def compare(
    strata: Strata,
    tilts: Array,
    ratio: float = 1.0,
    burst: float = 1.0,
    starts: Starts = AT_ONCE,
) -> Evidence:
    """Evidence of the canary against stable, as it stands after these intervals."""
    return Process.of(strata, tilts, ratio, burst).evidence(starts)


def burn(bad: float, total: float, burst: float = 1.0) -> Evidence:
    """Evidence that one arm alone is bad more often than a given ratio (the margin).

    It is `compare` with a spotless stable of endless traffic: ln e(r) = X·ln r - margin·m(r - 1).
    """
    return Evidence(bad * np.log(HARM) / burst, total * (HARM - 1) / burst)


def burning(bad: Array, total: Array, limit: float, window: int, level: float) -> NDArray[np.bool_]:
    """Per interval: is this arm proven to be bad more often than `limit` just now?

    The mean over trailing windows of 1, 2, 4, … up to `window` intervals: the short ones see an
    incident begin, and none remembers it for longer than `window`.
    """
    lengths = [2**power for power in range((window - 1).bit_length())] + [window]
    gain = np.stack([trailing(bad, length) for length in lengths], axis=1)
    cost = np.stack([trailing(total, length) for length in lengths], axis=1)
    exponents = gain[..., None] * np.log(HARM) - limit * cost[..., None] * (HARM - 1)
    exponents = exponents.reshape(len(bad), len(lengths) * len(HARM))
    # No mean is above its largest term, and most of the time even that proves nothing.
    hot = exponents.max(axis=1) >= -np.log(level)
    hot[hot] = _log_mean_exp(exponents[hot]) >= -np.log(level)
    return hot


def trailing(counts: Array, window: int) -> Array:
    """Per interval: the sum over the `window` intervals up to it."""
    sums = np.concatenate((np.zeros(window), np.cumsum(counts)))
    return sums[window:] - sums[:-window]


def _log_mean_exp(exponents: Array) -> Array:
    """The logarithm of the mean of exp(…) along the last axis, without overflow."""
    highest = exponents.max(axis=-1)
    total = np.exp(exponents - highest[..., None]).sum(axis=-1)
    return highest + np.log(total / exponents.shape[-1])
