"""Durations of a rollout: what controllers count in whole seconds."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from plugin.slo.units import parse_duration

_LONGEST = 28 * 24 * 3600  # the judge's limit for a stage, and more than any of the others needs


def _whole_seconds(value: Any) -> int:
    seconds = parse_duration(value).total_seconds()
    if seconds < 1 or seconds % 1:
        raise ValueError(f'{value!r} is not in whole seconds; write for instance "30s" or "2m"')
    if seconds > _LONGEST:
        raise ValueError(f"{value!r} is too long; write at most 28d")
    return int(seconds)


Seconds = Annotated[int, BeforeValidator(_whole_seconds)]
"""Written as "90s", "2m" or "1h"; held as whole seconds, because Flagger knows no smaller unit."""
