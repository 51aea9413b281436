"""Durations and percentages, read here once for everybody.

Ratios are exact (`Decimal`): a budget of 0.1 % is 0.001, not 0.0010000000000000009.
"""

import re
from datetime import timedelta
from decimal import Decimal, InvalidOperation
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
            "percentage", "stay below 100: a promise without an error budget cannot be kept"
        )
    if percent != percent.quantize(_FINEST):
        raise PydanticCustomError(
            "percentage",
            "write 6 decimals at most, such as 99.999999: no traffic tells more of them apart",
        )
    return percent


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$", "examples": ["250ms"]}),
]
Percentage = Annotated[
    Decimal,
    BeforeValidator(parse_percentage),
    PlainSerializer(float, return_type=float),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 100}),
]
