"""How much failures come in clumps: the dispersion φ of their counts. Pure.

Requests that fail independently make the counts of neighbouring windows as different as coin tosses
do. Of K failures in two windows with the exposures n1 and n2, b1 fall into the first; with
π = n1/(n1 + n2), the mean of (b1 - Kπ)² is K·π(1 - π) if each failure tosses its own coin, and
φ times as much if they come in clumps, φ = E[size²]/E[size]. Nothing but the last few seconds is
compared, so a failure rate that changes over the day leaves no trace; an incident's first and last
seconds do, which is why the hours are compared and not pooled.

Evidence raised to 1/φ is valid again (`plugin.statistics.evidence`), as long as a clump hits one
arm.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np

from plugin.statistics.evidence import Array, trailing

LEAST_FAILURES = 60
"""In a block of hours, before its dispersion is worth a number."""

HIGHEST = 100.0
"""What `policy.burst` takes at most."""


@dataclass(frozen=True)
class Dispersion:
    """φ of one objective at windows of `seconds`: per block of hours, and in the whole.

    `blocks` are (first hour, hour after the last, φ); there is none if the whole history had less
    than `LEAST_FAILURES` failures to tell from.
    """

    seconds: int
    failures: int
    blocks: tuple[tuple[int, int, float], ...]

    def quantile(self, q: float) -> float | None:
        """Of φ over the blocks; None if nothing is known."""
        values = [phi for _, _, phi in self.blocks]
        return float(np.quantile(values, q)) if values else None


def measure(bad: Array, total: Array, step: int, per_hour: int, seconds: int) -> Dispersion:
    """φ at windows of `seconds` (at least one interval of `step`), over whole hours of counts."""
    window = max(1, ceil(seconds / step))
    failures, requests = trailing(bad, window), trailing(total, window)
    first, second = slice(window - 1, -window or None), slice(2 * window - 1, None)
    b1, b2, n1, n2 = failures[first], failures[second], requests[first], requests[second]
    both = b1 + b2
    share = np.divide(n1, n1 + n2, out=np.full(len(n1), 0.5), where=n1 + n2 > 0)
    expected = both * share * (1 - share)
    squares = np.where(expected > 0, (b1 - both * share) ** 2, 0.0)
    hours = len(bad) // per_hour
    # A pair belongs to the hour in which its second window ends.
    hour = (np.arange(len(both)) + 2 * window - 1) // per_hour
    by_hour = [
        np.bincount(hour, weights=values, minlength=hours)[:hours] for values in (squares, expected)
    ]
    seen = bad.reshape(hours, per_hour).sum(axis=1)
    blocks, begins = [], 0
    enough = 0.0
    for end in range(1, hours + 1):
        enough += seen[end - 1]
        if enough >= LEAST_FAILURES:
            spread, chance = (float(values[begins:end].sum()) for values in by_hour)
            if chance > 0:
                blocks.append((begins, end, spread / chance))
            begins, enough = end, 0.0
    return Dispersion(window * step, round(float(bad.sum())), tuple(blocks))


def clump_sizes(dispersion: Dispersion, intervals: int, per_hour: int) -> Array:
    """Per interval, the φ to split its failures with; hours of their own kind keep it.

    Not more than nine in ten blocks have: a shared incident, which would cancel between two arms,
    looks like one huge clump. Blocks outside of any measurement take the median.
    """
    middle, most = dispersion.quantile(0.5), dispersion.quantile(0.9)
    if middle is None or most is None:
        return np.ones(intervals)
    sizes = np.full(intervals, middle)
    for begins, end, phi in dispersion.blocks:
        sizes[begins * per_hour : end * per_hour] = min(phi, most)
    return np.clip(sizes, 1.0, HIGHEST)
