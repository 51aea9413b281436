"""How far our clock is from the one of whoever answers, read from what comes with every answer.

Intervals end by our clock, and samples carry Prometheus'. Minutes behind, old counts would look
fresh; minutes ahead, there would be none yet. Pure.
"""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from plugin.prometheus.errors import ConfigError

CLOCK_TOLERANCE = 10.0
"""In seconds: less than what makes counts too old to promote on, far more than kept clocks need."""
_RESOLUTION = 1
_AGE = re.compile(r"\d{1,9}")


def check_clock(headers: Mapping[str, str], sent: float, received: float, tolerance: float) -> None:
    """Raise ConfigError if our clock is wrong by more than `tolerance` seconds.

    The question was `sent` and its answer `received` then, by our clock in Unix seconds.
    """
    off = ahead(headers, sent, received)
    if abs(off) > tolerance:
        side = "ahead of" if off > 0 else "behind"
        raise ConfigError(
            f"the judge's clock is {abs(off):.0f} s {side} Prometheus' (by its answer's Date): "
            "correct whichever of the two is wrong"
        )


def ahead(headers: Mapping[str, str], sent: float, received: float) -> float:
    """How many seconds our clock is ahead at least (below 0: behind); 0 if that is not known.

    The answer was made between the question and its receipt, in the second that `Date` names; what
    a cache has kept, by its `Age` before that (RFC 9110, 6.6.1; RFC 9111, 4.2.3).
    """
    try:
        date = parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, OverflowError):
        return 0
    age = headers.get("Age", "")
    second = date.replace(tzinfo=UTC).timestamp() + (int(age) if _AGE.fullmatch(age) else 0)
    return max(sent - (second + _RESOLUTION), 0) + min(received - second, 0)
