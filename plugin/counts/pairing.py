"""Events of one arm that are compared with those of the other some intervals later. Pure."""

import numpy as np

from plugin.statistics.evidence import Strata


def paired(strata: Strata, reach: int) -> Strata:
    """Events of one arm wait up to `reach` intervals for some of the other to be compared with.

    What is put together depends on how many events there were, and never on how many were bad: so
    it is evidence as before.
    """
    if strata.comparable.all():
        return strata
    arrays = np.stack(
        (strata.canary_bad, strata.canary_total, strata.stable_bad, strata.stable_total)
    )
    # Sums up to each interval: plain lists are faster to walk.
    canary, stable = ([0.0, *np.cumsum(arrays[row]).tolist()] for row in (1, 3))
    first = 0
    for at in range(len(strata)):
        first = max(first, at - reach)
        if canary[at + 1] > canary[first] and stable[at + 1] > stable[first]:
            if first < at:
                arrays[:, at] = arrays[:, first : at + 1].sum(axis=1)
                arrays[:, first:at] = 0
            first = at + 1
    return Strata(*arrays)
