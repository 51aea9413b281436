"""Targets, thresholds and windows: the numbers that change a verdict, read strictly."""

import re
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from components.openslo.findings import Place
from components.openslo.model import Objective, TimeWindow
from plugin.slo.units import format_duration

_DURATION = re.compile(r"([1-9]\d{0,4})([mhdwMQY])", re.ASCII)
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "M": timedelta(days=30),
    "Q": timedelta(days=90),
    "Y": timedelta(days=365),
}
"""Months, quarters and years have the lengths that OpenSLO's own SDK gives them."""

_SHORTEST, _LONGEST = timedelta(days=1), timedelta(days=366)


def number(text: str, place: Place) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise place.refused(f"{text!r} is no number")
    return value


def percent(objective: Objective, place: Place) -> Decimal:
    """The target in percent, from `target` (a fraction) or `targetPercent`."""
    if (objective.target is None) == (objective.target_percent is None):
        raise place.refused("give either target, such as 0.999, or targetPercent, such as 99.9")
    if objective.target is None:
        place, value = place.at("targetPercent"), objective.target_percent or ""
        target = number(value, place)
    else:
        place, value = place.at("target"), objective.target
        fraction = number(value, place)
        if fraction > 1:
            raise place.refused(f"{value} is above 1; for {value} % write targetPercent: {value}")
        target = fraction * 100
    if not 1 < target < 100:
        raise place.refused(
            f"{value} is {target.normalize():f} %; a promise is above 1 % and, because it needs an "
            "error budget, below 100 %"
        )
    return target.normalize()


def window(windows: tuple[TimeWindow, ...], place: Place) -> timedelta:
    """The length of the one window; calendar ones count as rolling ones of the same length."""
    if len(windows) != 1:
        raise place.refused("give one window, not several")
    (found,) = windows
    text = found.duration
    if text is None:
        raise place.at("duration").refused("is missing; write one such as 30d")
    length = _length(text, place.at("duration"))
    if found.calendar is not None:
        place.warn(
            f"a calendar window is counted as a rolling one of {format_duration(length)}: the "
            "error budget does not begin anew with the calendar"
        )
    elif found.is_rolling is not True:
        place.warn("isRolling is not true and there is no calendar; taken for a rolling window")
    return length


def _length(text: str, place: Place) -> timedelta:
    match = _DURATION.fullmatch(text)
    if not match:
        raise place.refused(f"{text!r} is no duration; write one such as 30d, 4w or 1M")
    length = int(match[1]) * _UNITS[match[2]]
    if length < _SHORTEST and match[2] == "m":
        raise place.refused(
            f"{text} is in minutes, too short to promise anything over; if months are meant, "
            f"write {match[1]}M"
        )
    if not _SHORTEST <= length <= _LONGEST:
        raise place.refused(f"{text} is out of range; give 1d to 1Y, usually 30d")
    return length
