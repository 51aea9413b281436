"""Durations, percentages and numbers, read here once for everybody.

Ratios are exact (`Decimal`): a budget of 0.1 % is 0.001, not 0.0010000000000000009.
"""

import re
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from math import isfinite, nan
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DURATION = re.compile(r"(\d{1,7}(?:\.\d{1,6})?)(ms|s|m|h|d|w)", re.ASCII)
_FINEST = Decimal("0.000001")


def parse_duration(value: object) -> timedelta:
    """Read a duration such as "250ms", "1.5h" or "30d" (a `timedelta` is taken as it is)."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        return float(match[1]) * _UNITS[match[2]]
    raise PydanticCustomError(
        "duration", 'write a duration as a number and a unit (ms, s, m, h, d, w), such as "250ms"'
    )


def format_duration(value: timedelta) -> str:
    """Write a duration in the largest unit that keeps it a whole number: the inverse of parsing."""
    for unit in reversed(_UNITS):
        if value and value % _UNITS[unit] == timedelta():
            return f"{value // _UNITS[unit]}{unit}"
    return f"{value / _UNITS['ms']:g}ms" if value else "0s"


def parse_percentage(value: object) -> Decimal:
    """Read a percentage such as 99.9, "99.9" or "99.9%"; the result is in percent, above 1."""
    return _percentage(value, "a promise without an error budget cannot be kept")


def parse_fullness(value: object) -> Decimal:
    """The same of what may be used of a whole."""
    return _percentage(value, "nothing is ever fuller than that")


def _percentage(value: object, why_not_all: str) -> Decimal:
    number = isinstance(value, int | float | str | Decimal) and not isinstance(value, bool)
    try:
        percent = Decimal(str(value).strip().removesuffix("%").rstrip() if number else "NaN")
    except InvalidOperation:
        percent = Decimal("NaN")
    if not percent.is_finite():
        raise PydanticCustomError("percentage", "write a percentage as a number, such as 99.9")
    if percent <= 1:
        raise PydanticCustomError(
            "percentage", "write a percentage, not a fraction: 99.9 and not 0.999"
        )
    if percent >= 100:
        raise PydanticCustomError(
            "percentage", "stay below 100: {why_not_all}", {"why_not_all": why_not_all}
        )
    if percent != percent.quantize(_FINEST):
        raise PydanticCustomError(
            "percentage",
            "write 6 decimals at most, such as 99.999999: no traffic tells more of them apart",
        )
    return percent


def parse_number(value: object) -> float:
    """Read a finite number such as 3, 1.5 or "1.5"; to pydantic, true would be one as well."""
    read = nan
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            read = float(value)
    if not isfinite(read):
        raise PydanticCustomError("number", "write a number")
    return read


def _no_switch(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("number", "write a whole number")
    return value


def parse_switch(value: object) -> bool:
    """Read true or false, or their text; to pydantic, "yes" and 1 would be true as well."""
    for switch, text in ((True, "true"), (False, "false")):
        if value is switch or value == text:
            return switch
    raise PydanticCustomError("switch", "write true or false")


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$", "examples": ["250ms"]}),
]
_AS_PERCENT = (
    PlainSerializer(float, return_type=float),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 100}),
)
Percentage = Annotated[Decimal, BeforeValidator(parse_percentage), *_AS_PERCENT]
Fullness = Annotated[Decimal, BeforeValidator(parse_fullness), *_AS_PERCENT]
Number = Annotated[float, BeforeValidator(parse_number)]
Whole = Annotated[int, BeforeValidator(_no_switch)]
Switch = Annotated[bool, BeforeValidator(parse_switch)]
