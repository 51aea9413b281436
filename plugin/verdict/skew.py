"""Arms that are scraped apart: their intervals are the same seconds by and large only. Pure.

Where each pod is scraped at a moment of its own, an incident that both arms share shows in one of
them up to a scrape earlier. In that interval an outage of everybody looks like a release that
fails where stable does not, or the other way round.
"""

import numpy as np
from numpy.typing import NDArray

from plugin.statistics.evidence import Array

Flags = NDArray[np.bool_]

ONSET_INTERVALS = 4
"""So many it may take to prove that stable suffers."""
_NO_CHANCE = 4.5
"""So much (the ln of a likelihood ratio) tells of a change: by chance it comes once in 370."""


def newest(comparable: Flags) -> Flags:
    """The last interval with requests of both arms: the next will tell whether it is an edge."""
    found = np.zeros(len(comparable), dtype=bool)
    found[np.flatnonzero(comparable)[-1:]] = True
    return found


def edges(comparable: Flags, *hot: tuple[Flags, int]) -> Flags:
    """The intervals around the beginning and the end of an incident.

    `comparable` are the intervals with requests of both arms. Each of `hot` says where stable was
    proven to suffer, and by how many intervals longer than stable does that may say so.
    """
    seen = np.flatnonzero(comparable)
    found = np.zeros(len(comparable), dtype=bool)
    for suffers, longer in ((flags[seen], longer) for flags, longer in hot):
        for first in np.flatnonzero(suffers[1:] != suffers[:-1]) + 1:
            before = ONSET_INTERVALS if suffers[first] else longer + 1
            found[seen[max(0, first - before) : first + 2]] = True
    return found


def steps(bad: Array, total: Array, margin: float, burst: float = 1.0) -> Flags:
    """The intervals on both sides of a change of stable's bad ratio by more than `margin`.

    Within one the canary may have the ratio of before or of after. What changes by less cannot make
    a canary look worse by more than that. `bad` and `total` are stable's; intervals without
    requests change nothing. The likelihood ratio is that of two Poisson counts, tempered.
    """
    found = np.zeros(len(total), dtype=bool)
    seen = np.flatnonzero(total > 0)
    bad, total = bad[seen], total[seen]
    both_bad, both_total = bad[1:] + bad[:-1], total[1:] + total[:-1]
    told = _surplus(bad[1:], total[1:] * both_bad / both_total)
    told += _surplus(bad[:-1], total[:-1] * both_bad / both_total)
    changed = (np.abs(np.diff(bad / total)) > margin) & (told / burst > _NO_CHANCE)
    found[seen[1:]] |= changed
    found[seen[:-1]] |= changed
    return found


def _surplus(found: Array, expected: Array) -> Array:
    """Found · ln(found / expected), which is 0 for none."""
    return found * np.log(np.maximum(found, 1e-9) / np.maximum(expected, 1e-9))
