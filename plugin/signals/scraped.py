"""Was everything that a value is made of scraped, for as long as it looks back? Pure.

Sums and rates shrink when a scrape fails, grow when it works again, and reach back to before there
was a canary. What they say then is no reason to abort.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from plugin.statistics.evidence import Array

_SETTLED_SECONDS = 3600
"""For so long fewer series than before may be failed scrapes; after it they are pods that went."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Scraped:
    """What an arm's value is made of, per interval of `step` seconds.

    `series` is how many series it reads, and `failed` how many of the targets that had them could
    not be scraped (both NaN where there are none). The value looks back `reach` intervals.
    """

    series: Array
    failed: Array
    reach: int
    step: int

    @property
    def complete(self) -> Flags:
        """Nothing is missing from the value."""
        settled = _windows(self.series, ceil(_SETTLED_SECONDS / self.step), before=0.0)
        whole = self.series >= np.fmax.reduce(settled, axis=1)
        there = whole & ~(self.failed > 0)
        return np.logical_and.reduce(_windows(there, self.reach, before=False), axis=1)

    @property
    def steady(self) -> Flags:
        """No series has just come, of which a range holds less than its length."""
        back = _windows(self.series, self.reach, before=np.nan)
        return back.min(axis=1) == back.max(axis=1)

    def within(self, since: int) -> Flags:
        """The value does not look back to before this interval."""
        return np.arange(len(self.series)) >= since + self.reach

    @property
    def failing(self) -> int:
        """How many targets cannot be scraped now."""
        now = self.failed[-1:]
        return int(now[0]) if len(now) and now[0] > 0 else 0


def _windows(values: NDArray[np.generic], reach: int, *, before: float) -> NDArray[np.generic]:
    """Per interval: it and the `reach` before it."""
    padded = np.concatenate((np.full(reach, before, dtype=values.dtype), values))
    return sliding_window_view(padded, reach + 1)
