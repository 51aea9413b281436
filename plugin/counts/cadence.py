"""Are the requests' counters scraped as often as the judge was told? Pure.

Where they are not, most intervals are empty: what is "now" for shares and incidents holds a scrape
of one arm and none of the other. The counts are right even so, but what follows from them is late
or flickers, and nothing else would say why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from plugin.counts.answer import Answer, Part
from plugin.indicators import Arm, Indicator
from plugin.slo import is_request

SCRAPES = 12
_FEW = 4
"""So many samples in the time of twelve scrapes are a wrong setting, or scrapes that failed."""
_PART = "requests.samples"
"""The point keeps it apart from a team's own names."""


@dataclass(frozen=True)
class Rarely:
    """No counter of requests had more `samples` in the time of `SCRAPES` scrapes, so long apart."""

    samples: int
    scrape_interval: int


def part(
    indicators: Sequence[Indicator], arms: Mapping[str, Arm], scrape_interval: int
) -> list[Part]:
    """One value, and only if it is too small. Nothing to ask without objectives of requests.

    It is of the end only, so it costs no more than one of the many intervals.
    """
    requests = (one.sources[0] for one in indicators if is_request(one.name))
    source = next(requests, None)
    if source is None:
        return []
    samples = " or ".join(
        f"count_over_time({selector}[{SCRAPES * scrape_interval}s] @ end())"
        for name, arm in arms.items()
        for selector in source.selectors(name, arm)
    )
    return [Part(_PART, f"max({samples}) <= {_FEW}", counts=False)]


def rarely(answer: Answer, scrape_interval: int) -> Rarely | None:
    """What `part` came to."""
    samples = answer.value(_PART)
    known = samples[~np.isnan(samples)]
    return Rarely(int(known[-1]), scrape_interval) if len(known) else None
