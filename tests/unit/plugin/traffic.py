"""Traffic without a failure, for what does not look at failures."""

from collections.abc import Sequence

import numpy as np

from plugin.statistics.evidence import Strata


def of_traffic(*intervals: Sequence[float]) -> Strata:
    """Strata from (canary, stable) requests per interval."""
    canary, stable = np.array(intervals, dtype=np.float64).reshape(-1, 2).T
    return Strata(np.zeros(len(canary)), canary, np.zeros(len(canary)), stable)
