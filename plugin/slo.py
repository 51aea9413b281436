"""Service level objectives: what a service promises, and the error budget that leaves.

Durations and percentages are parsed here, once, for everybody. Ratios are exact (`Decimal`): a
budget of 0.1 % is 0.001, not 0.0010000000000000009.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    WithJsonSchema,
    field_validator,
    model_validator,
)
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

# fmt: off
ISTIO_BUCKETS_MS = (
    Decimal("0.5"), *map(Decimal, (
        1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000,
        600_000, 1_800_000, 3_600_000,
    )),
)
# fmt: on
"""Upper bounds of Istio's request duration histogram, in milliseconds. Counts are known at these
bounds only, so a latency objective has to name one of them."""


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


@dataclass(frozen=True)
class Objective:
    """One promise, as a ratio of good requests. `threshold` is set for latency only."""

    name: str
    target: Decimal
    threshold: timedelta | None = None

    @property
    def budget(self) -> Decimal:
        """The fraction of requests that may be bad."""
        return 1 - self.target


class Model(BaseModel):
    """What users write: immutable, and a key that is not known is an error that names it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Latency(Model):
    """At least `percentile` % of the requests are answered within `threshold`."""

    percentile: Percentage
    threshold: Duration

    @field_validator("threshold")
    @classmethod
    def _is_a_bucket(cls, threshold: timedelta) -> timedelta:
        ms = Decimal(threshold // timedelta(microseconds=1)) / 1000
        if ms in ISTIO_BUCKETS_MS:
            return threshold
        below = [bound for bound in ISTIO_BUCKETS_MS if bound < ms][-1:]
        above = [bound for bound in ISTIO_BUCKETS_MS if bound > ms][:1]
        nearest = " or ".join(
            format_duration(timedelta(milliseconds=float(bound))) for bound in below + above
        )
        raise PydanticCustomError(
            "bucket",
            "{threshold} is no bucket of Istio's latency histogram; the nearest: {nearest}",
            {"threshold": format_duration(threshold), "nearest": nearest},
        )


class SLO(Model):
    """The objectives of one service over a rolling `window`; at least one of them is set.

    `availability` is the percentage of requests that are not answered with a server error.
    """

    availability: Percentage | None = None
    latency: Latency | None = None
    window: Duration = timedelta(days=30)

    @field_validator("window")
    @classmethod
    def _long_enough(cls, window: timedelta) -> timedelta:
        if window < timedelta(days=1):
            raise PydanticCustomError("window", "the window is at least one day, usually 30d")
        return window

    @model_validator(mode="after")
    def _promises_something(self) -> Self:
        if not self.objectives:
            raise PydanticCustomError("empty", "set availability, latency or both")
        return self

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What is promised, as ratios: "p95 below 250ms" is "95 % of requests within 250ms"."""
        promised = []
        if self.availability is not None:
            promised.append(Objective("availability", self.availability / 100))
        if self.latency is not None:
            target = self.latency.percentile / 100
            promised.append(Objective("latency", target, self.latency.threshold))
        return tuple(promised)

    def burn_rate(self, share: Decimal, period: timedelta) -> Decimal:
        """The burn rate that spends `share` of the window's error budget within `period`.

        1 spends exactly the whole budget in the whole window. 2 % in one hour of 30 days is 14.4,
        the fast page of the SRE workbook's multi-window alerts.
        """
        return share * Decimal(self.window / period)
