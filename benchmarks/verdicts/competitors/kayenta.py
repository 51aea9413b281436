"""Kayenta's judge, from the description of its algorithm: Mann-Whitney on per-minute averages.

One metric, the error ratio, once per minute. Every ten minutes all values so far are compared
(canary analysis without a lookback), with the usual thresholds: a score of 75 or less stops the
release, and the last look has to reach 95. With one metric the score is 0 or 100.
"""

from statistics import NormalDist

import numpy as np

from benchmarks.verdicts.scenarios import SECONDS
from plugin.statistics.evidence import Array, Strata

_MINUTE = 60 // SECONDS
_EVERY_MINUTES = 10
_TOLERANCE = 0.25  # of the estimated difference, within which nothing is a difference
_Z = NormalDist().inv_cdf(0.99)  # a two-sided confidence of 98 %
_ALLOWED_INCREASE = 1.0  # of the ratio of means; 1 is the default and asks for an increase only


def kayenta(strata: Strata) -> int | None:
    """Aborts at the first look at which the canary's error ratio is classified as high."""
    canary = _per_minute(strata.canary_bad, strata.canary_total)
    stable = _per_minute(strata.stable_bad, strata.stable_total)
    for minutes in range(_EVERY_MINUTES, len(canary) + 1, _EVERY_MINUTES):
        experiment, control = (arm[:minutes] for arm in (canary, stable))
        # Minutes without a request have no value and are removed.
        if is_high(experiment[~np.isnan(experiment)], control[~np.isnan(control)]):
            return minutes * _MINUTE
    return None


def is_high(experiment: Array, control: Array) -> bool:
    """Is the whole confidence interval of the shift beyond a quarter of the estimated shift?

    The interval's lower end is where the statistic, which falls with the assumed shift, crosses z;
    so it lies beyond the bound exactly if the statistic exceeds z at the bound.
    """
    if not len(experiment) or not len(control):
        return False
    if np.array_equal(np.sort(experiment), np.sort(control)):
        return False
    if len(np.unique(np.concatenate((experiment, control)))) == 1:
        return False
    bound = _TOLERANCE * abs(_shift(experiment, control))
    return _statistic(experiment, control, bound) > _Z and _effect(experiment, control)


def _effect(experiment: Array, control: Array) -> bool:
    """The ratio of means, if there is one, must be an increase."""
    means = float(experiment.mean()), float(control.mean())
    return not all(means) or means[0] / means[1] >= _ALLOWED_INCREASE


def _shift(experiment: Array, control: Array) -> float:
    """The estimate of Hodges and Lehmann: the median of all pairwise differences."""
    return float(np.median(experiment[:, None] - control[None, :]))


def _statistic(experiment: Array, control: Array, shift: float) -> float:
    """The standardised rank sum of the shifted experiment, corrected for ties and continuity."""
    size, other = len(experiment), len(control)
    pooled = np.concatenate((experiment - shift, control))
    _, index, counts = np.unique(pooled, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[index]
    excess = ranks[:size].sum() - size * (size + 1) / 2 - size * other / 2
    everybody = size + other
    ties = float((counts**3.0 - counts).sum()) / (everybody * (everybody - 1))
    spread = np.sqrt(size * other / 12 * (everybody + 1 - ties))
    return float((excess - np.sign(excess) / 2) / spread) if spread else 0.0


def _per_minute(bad: Array, total: Array) -> Array:
    bad, total = (counts.reshape(-1, _MINUTE).sum(axis=1) for counts in (bad, total))
    return np.divide(bad, total, out=np.full(len(bad), np.nan), where=total > 0)
