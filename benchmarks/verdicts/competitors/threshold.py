"""The canary's success rate over a sliding window, compared with a fixed number.

Argo Rollouts' and Flagger's documentation both introduce analysis with such a rule. None of them
looks at stable. A window without requests fails nothing here, which is kinder than both are.
"""

import numpy as np

from benchmarks.verdicts.scenarios import SECONDS
from plugin.statistics.evidence import Strata, trailing

_MINUTE = 60 // SECONDS


def argo(strata: Strata) -> int | None:
    """Argo Rollouts' documentation: success over 5 min below 95 % is a failure; the 4th aborts.

    `interval: 5m`, `successCondition: result[0] >= 0.95`, `failureLimit: 3`, `[5m]`.
    """
    return _aborts(strata, 0.95, window=5 * _MINUTE, every=5 * _MINUTE, tolerated=3)


def flagger(strata: Strata) -> int | None:
    """Flagger's documentation: `interval: 1m`, `thresholdRange: {min: 99}`, `threshold: 5`.

    The release is taken back in the tick after the one that reaches the threshold.
    """
    reached = _aborts(strata, 0.99, window=_MINUTE, every=_MINUTE, tolerated=4)
    return reached + _MINUTE if reached and reached + _MINUTE <= len(strata) else None


def with_hindsight(strata: Strata) -> int | None:
    """What one would set for the first row who knew that stable fails 0.1 % and the canary 1 %.

    99.5 % over 5 min, looked at in every interval, not before one minute, and nothing tolerated.
    No alternative, for nobody knows that beforehand; but it says what a threshold can do at best.
    """
    return _aborts(strata, 0.995, window=5 * _MINUTE, every=1, tolerated=0, first=_MINUTE)


def _aborts(
    strata: Strata, least: float, *, window: int, every: int, tolerated: int, first: int = 0
) -> int | None:
    """Looks after every so many intervals; aborts at the first failure that is not tolerated."""
    bad, total = trailing(strata.canary_bad, window), trailing(strata.canary_total, window)
    looks = np.arange(max(every, first), len(strata) + 1, every)
    failed = looks[bad[looks - 1] > (1 - least) * total[looks - 1]]
    return int(failed[tolerated]) if len(failed) > tolerated else None
