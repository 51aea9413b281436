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

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HARM = np.geomspace(1.25, 64.0, 24)
"""Tilts for "the canary is worse"; the mean over them needs no guess of how much worse."""
SAFE = 1.0 / HARM
"""Tilts for "the canary is not worse by more than the margin"."""

_PARTS, _DIVISIONS = 16, 8  # encloses a margin in [-1, 1] to 2/16**8


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
        return float(self._log_e(np.array([margin]))[0])

    def _log_e(self, margins: Array) -> Array:
        return _log_mean_exp(self.gain - margins[:, None] * self.cost)

    def lower(self, level: float) -> float:
        """From harm evidence: the lower end of the canary's extra bad ratio.

        It is the margin at which E is exactly 1/level, so the truth is ever below it with
        probability at most `level`, at all looks together. -1 when nothing is known.
        """
        low, _ = self._crossing(lambda log_e: log_e >= -np.log(level))
        return low

    def upper(self, level: float) -> float:
        """From safe evidence: the upper end of the extra bad ratio; 1 when nothing is known."""
        _, high = self._crossing(lambda log_e: log_e < -np.log(level))
        return high

    def _crossing(self, before: Callable[[Array], NDArray[np.bool_]]) -> tuple[float, float]:
        """The margin at which `before` stops being true, enclosed to 1e-10 by repeated division.

        ln E falls with the margin for harm tilts (costs > 0) and rises for safe ones, so there is
        one such margin at most.
        """
        low, high = -1.0, 1.0
        for _ in range(_DIVISIONS):
            margins = np.linspace(low, high, _PARTS + 1)
            passed = int(np.count_nonzero(before(self._log_e(margins))))
            low, high = margins[max(passed - 1, 0)], margins[min(passed, _PARTS)]
        return float(low), float(high)


Starts = Sequence[tuple[int, float]]
"""When processes begin (comparable interval) and their weights, which add up to 1 at most."""

AT_ONCE: Starts = ((0, 1.0),)


def compare(
    strata: Strata,
    tilts: Array,
    ratio: float = 1.0,
    burst: float = 1.0,
    starts: Starts = AT_ONCE,
) -> Evidence:
    """Evidence of the canary against stable; strata without requests on both sides add nothing.

    A process that began with the release has learned that it is good, and is slow to unlearn it
    when it turns bad. So others may begin later: fixed beforehand, the weighted mean of all is as
    valid as each.
    """
    gain, cost = _terms(strata, tilts, ratio, burst)
    begun = [(start, weight) for start, weight in starts if start <= len(gain)]
    return Evidence(
        np.concatenate([gain[at:].sum(axis=0) + np.log(w * len(begun)) for at, w in begun]),
        np.concatenate([cost[at:].sum(axis=0) for at, _ in begun]),
    )


def course(
    strata: Strata, tilts: Array, margin: float, *, ratio: float, burst: float, starts: Starts
) -> Array:
    """The ln E of `compare` for this margin as it stood after each comparable interval."""
    gain, cost = _terms(strata, tilts, ratio, burst)
    so_far = np.cumsum(gain - margin * cost, axis=0)
    parts = []
    for start, weight in starts:
        part = np.full(so_far.shape, -np.inf)
        if 0 < start <= len(so_far):
            part[start - 1 :] = so_far[start - 1 :] - so_far[start - 1]
        elif start == 0:
            part = so_far
        parts.append(part + np.log(weight * len(starts)))
    return _log_mean_exp(np.concatenate(parts, axis=1)) if len(so_far) else np.empty(0)


def _terms(strata: Strata, tilts: Array, ratio: float, burst: float) -> tuple[Array, Array]:
    """Gain and cost per comparable interval and tilt."""
    usable = strata[strata.comparable]
    canary, stable = usable.canary_total[:, None], usable.stable_total[:, None] / ratio
    denominator = canary * tilts + stable
    log_b = np.log((canary + stable) / denominator)
    bad, stable_bad = usable.canary_bad[:, None], usable.stable_bad[:, None]
    gain = (bad * (np.log(tilts) + log_b) + stable_bad * log_b) / burst
    return gain, canary * stable * (tilts - 1) / denominator / burst


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
    return _log_mean_exp(exponents.reshape(len(bad), len(lengths) * len(HARM))) >= -np.log(level)


def trailing(counts: Array, window: int) -> Array:
    """Per interval: the sum over the `window` intervals up to it."""
    sums = np.concatenate((np.zeros(window), np.cumsum(counts)))
    return sums[window:] - sums[:-window]


def _log_mean_exp(exponents: Array) -> Array:
    """The logarithm of the mean of exp(…) along the last axis, without overflow."""
    highest = exponents.max(axis=-1)
    return highest + np.log(np.exp(exponents - highest[..., None]).mean(axis=-1))
