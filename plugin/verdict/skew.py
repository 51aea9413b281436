"""Arms that are scraped apart: their intervals are the same seconds by and large only. Pure.

Where each pod is scraped at a moment of its own, an incident that both arms share shows in one of
them up to a scrape earlier. In that interval an outage of everybody looks like a release that
fails where stable does not, or the other way round.
"""

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]

ONSET_INTERVALS = 4
"""So many it may take to prove that stable suffers."""


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
