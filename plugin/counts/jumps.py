"""Counts that are no requests of their interval, but the past of a counter that was away.

What a counter shows first, after the query forgot it or Prometheus lost its storage, looks like the
requests of one interval.
"""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from plugin.promql.query import MEMORY_SECONDS
from plugin.statistics.evidence import Array, Strata

_FACTOR, _FLOOR = 10.0, 100.0
_RETURN_FACTOR = 3.0
_HOLD_SECONDS = 60
_PHASES = 2
"""Targets are scraped at moments of their own: what returns at once shows in two intervals."""
_OFTEN = 3


def jumps(strata: Strata, seconds: int) -> NDArray[np.bool_]:
    """Intervals, so many `seconds` long, whose counts cannot be those of the interval.

    They have ten times the usual number of both arms, and that does not last: traffic does. Or they
    have three times that of one arm, which was not seen before for so long that its counters'
    past may be in it. A canary that begins while stable is there has none.
    """
    total = strata.canary_total + strata.stable_total
    found = _bursts(total, max(_PHASES, _HOLD_SECONDS // seconds))
    seen = np.flatnonzero(total)
    if len(seen):
        for arm in (strata.canary_total, strata.stable_total):
            found |= _returns(arm, int(seen[0]), seconds)
    return found


def comes_in_bursts(strata: Strata, left_out: NDArray[np.bool_]) -> bool:
    """Whether most of these counts are `left_out` as jumps, and that again and again.

    A counter that was away returns once, with a past of any size. What does so three times is
    traffic in batches, or Prometheus is in trouble; the few counts between tell of neither.
    """
    total = strata.canary_total + strata.stable_total
    times = np.count_nonzero(np.diff(left_out[total > 0].astype(np.int8), prepend=0) > 0)
    return bool(times >= _OFTEN and total[left_out].sum() > total[~left_out].sum())


def _bursts(total: Array, hold: int) -> NDArray[np.bool_]:
    """Ten times the usual (and more than 100), for no more than `hold` intervals with requests."""
    found = np.zeros(len(total), dtype=bool)
    seen = np.flatnonzero(total)
    if not len(seen):
        return found
    counts = total[seen]
    if counts.max() <= max(_FACTOR * counts.min(), _FLOOR):
        return found  # as nearly always; the median takes longer
    high = counts > max(_FACTOR * float(np.median(counts)), _FLOOR)
    edges = np.flatnonzero(np.diff(high, prepend=False, append=False))
    for first, end in edges.reshape(-1, 2):
        if end - first <= hold:
            found[seen[first:end]] = True
    return found


def _returns(arm: Array, began: int, seconds: int) -> NDArray[np.bool_]:
    """More than three times what the arm may have, where it is back or where all counts begin.

    That is what it has in one of ten intervals: the weights may have changed.
    """
    away = ceil(MEMORY_SECONDS / seconds)
    seen = np.flatnonzero(arm)
    back = seen[1:][np.diff(seen) > away]
    if len(seen) and seen[0] < began + _PHASES:
        back = np.append(back, seen[0])
    suspect = np.zeros(len(arm), dtype=bool)
    for later in range(_PHASES):
        suspect[np.minimum(back + later, len(arm) - 1)] = True
    others = arm[(arm > 0) & ~suspect]
    # As nearly always; the quantile takes longer.
    if len(others) and arm[suspect].max(initial=0) <= _RETURN_FACTOR * others.min():
        return np.zeros(len(arm), dtype=bool)
    most = _RETURN_FACTOR * float(np.quantile(others, 0.9)) if len(others) else _FLOOR
    return suspect & (arm > most)
