"""The textbook test of two proportions, repeated at every look as if each were the only one."""

from statistics import NormalDist

import numpy as np

from plugin.statistics.evidence import Strata

_LEVEL = 0.01
_LEAST_BAD = 3  # the same floor that the judge has


def z_test(strata: Strata) -> int | None:
    """Aborts once all counts so far differ significantly (one-sided, 1 %, pooled variance)."""
    bad, total, stable_bad, stable_total = (
        np.cumsum(counts)
        for counts in (
            strata.canary_bad,
            strata.canary_total,
            strata.stable_bad,
            strata.stable_total,
        )
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (bad + stable_bad) / (total + stable_total)
        error = np.sqrt(pooled * (1 - pooled) * (1 / total + 1 / stable_total))
        z = (bad / total - stable_bad / stable_total) / error
    significant = (z > NormalDist().inv_cdf(1 - _LEVEL)) & (bad >= _LEAST_BAD)
    return int(np.argmax(significant)) + 1 if significant.any() else None
