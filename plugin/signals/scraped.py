"""Was everything that a value is made of scraped, for as long as it looks back? Pure.

Sums and rates shrink when a scrape fails, grow when it works again, and reach back to before there
was a canary. What they say then is no reason to abort.
"""

from math import ceil

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from plugin.statistics.evidence import Array

_SETTLED_SECONDS = 300
"""For so long fewer series than before may be a failed scrape; after it they are pods that went."""


def throughout(
    series: Array, failed: Array, *, least: bool, reach: int, step: int, since: int
) -> NDArray[np.bool_]:
    """Per interval, `step` seconds long: whether its value tells of the canary alone.

    `series` is how many series the value is made of and `failed` how many of the canary's targets
    could not be scraped (both NaN where none was). The value looks back `reach` intervals, which
    have to lie behind `since`, the release's first one. With `least` it must not be too small
    either: of series that have just come, or were not scraped, a range holds less than its length.
    """
    before = max(reach, ceil(_SETTLED_SECONDS / step))
    whole = series >= np.fmax.reduce(_windows(series, before, 0.0), axis=1)
    if least:
        back = _windows(series, reach, np.nan)
        whole &= back.min(axis=1) == back.max(axis=1)
    down = _windows(failed > 0, reach, 0.0).any(axis=1)
    return whole & ~down & (np.arange(len(series)) >= since + reach)


def _windows(values: NDArray[np.generic], reach: int, before: float) -> Array:
    """Per interval: it and the `reach` before it."""
    padded = np.concatenate((np.full(reach, before), values))
    return sliding_window_view(padded, reach + 1)
