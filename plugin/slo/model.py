"""Service level objectives: what a service promises, and the error budget that leaves.

Two kinds of promises. A ratio (availability, latency, `ratios`) becomes an `Objective`: requests or
events of which so many may be bad. What is no ratio (`limits`, `saturation`) becomes a `Bound`: a
value that must not stay beyond it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import (
    Field,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from plugin.slo.promises import (
    AVAILABILITY,
    CPU,
    LATENCY,
    MEMORY,
    Latency,
    Limit,
    Model,
    Ratio,
    Saturation,
    SignalName,
)
from plugin.slo.units import Duration, Percentage, Whole

_MOST = 8
"""Of each kind: together with the arms they bound the cost of the one query."""
_SATURATED_FOR = timedelta(minutes=2)


@dataclass(frozen=True)
class Objective:
    """One promise, as a ratio of good requests or events.

    `threshold` is set for latency only, and `ratio` for the ratios of a team's own.
    """

    name: str
    target: Decimal
    threshold: timedelta | None = None
    ratio: Ratio | None = None

    @property
    def budget(self) -> Decimal:
        """The fraction of requests that may be bad."""
        return 1 - self.target


@dataclass(frozen=True)
class Bound:
    """A value that must not stay above `most`, or below `least`, for `lasting`.

    `value` is PromQL; without it the built-in measure of that name is meant.
    """

    name: str
    most: float | None
    least: float | None
    lasting: timedelta
    value: str | None = None


def _one_or_more(value: Any, handler: ValidatorFunctionWrapHandler) -> tuple[Latency, ...]:
    """A list, or a single one without the brackets; errors name the field as it is written."""
    if isinstance(value, Latency | Mapping):
        return (Latency.model_validate(value),)
    return handler(value)


def _as_written(latencies: tuple[Latency, ...]) -> Any:
    written = [latency.model_dump(mode="json") for latency in latencies]
    return written[0] if len(written) == 1 else written


_LATENCY_SCHEMA = Latency.model_json_schema()

Latencies = Annotated[
    tuple[Latency, ...],
    Field(max_length=_MOST),
    WrapValidator(_one_or_more),
    PlainSerializer(_as_written),
    WithJsonSchema({"anyOf": [_LATENCY_SCHEMA, {"type": "array", "items": _LATENCY_SCHEMA}]}),
]


def _nothing(value: object) -> bool:
    return not value


class SLO(Model):
    """What one service promises over a rolling `window`; at least one of it is a ratio.

    `availability` is the percentage of requests that are not answered with a server error.
    """

    availability: Percentage | None = None
    latency: Latencies = Field(default=(), exclude_if=_nothing)
    ratios: dict[SignalName, Ratio] = Field(default={}, max_length=_MOST, exclude_if=_nothing)
    limits: dict[SignalName, Limit] = Field(default={}, max_length=_MOST, exclude_if=_nothing)
    saturation: Saturation | None = None
    restarts: Whole = Field(default=2, ge=0, le=100)
    """Restarts of any one container of the canary that are tolerated."""
    window: Duration = timedelta(days=30)

    @field_validator("latency")
    @classmethod
    def _told_apart(cls, latencies: tuple[Latency, ...]) -> tuple[Latency, ...]:
        percentiles = [latency.percentile for latency in latencies]
        if len(set(percentiles)) < len(percentiles):
            raise PydanticCustomError(
                "twice", "name each percentile once: keep the lower threshold"
            )
        return latencies

    @field_validator("window")
    @classmethod
    def _long_enough(cls, window: timedelta) -> timedelta:
        if window < timedelta(days=1):
            raise PydanticCustomError("window", "the window is at least one day, usually 30d")
        return window

    @model_validator(mode="after")
    def _promises_something(self) -> Self:
        if not self.objectives:
            raise PydanticCustomError("empty", "set availability, latency or both, or ratios")
        if both := set(self.ratios) & set(self.limits):
            raise PydanticCustomError(
                "twice", "'{name}' is both a ratio and a limit: rename one", {"name": min(both)}
            )
        return self

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What is promised, as ratios: "p95 below 250ms" is "95 % of requests within 250ms"."""
        promised = []
        if self.availability is not None:
            promised.append(Objective(AVAILABILITY, self.availability / 100))
        for latency in self.latency:
            one_of_many = f"{LATENCY}_p{latency.percentile.normalize():f}"
            name = LATENCY if len(self.latency) == 1 else one_of_many
            promised.append(Objective(name, latency.percentile / 100, latency.threshold))
        promised += [
            Objective(name, ratio.target / 100, ratio=ratio) for name, ratio in self.ratios.items()
        ]
        return tuple(promised)

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """What has to stay within bounds. Saturation is a fraction here."""
        kept = [
            Bound(name, limit.most, limit.least, limit.for_, limit.value)
            for name, limit in self.limits.items()
        ]
        if self.saturation is not None:
            measures = ((CPU, self.saturation.cpu_throttled), (MEMORY, self.saturation.memory))
            kept += [
                Bound(name, float(percent / 100), None, _SATURATED_FOR)
                for name, percent in measures
                if percent is not None
            ]
        return tuple(kept)

    def burn_rate(self, share: Decimal, period: timedelta) -> Decimal:
        """The burn rate that spends `share` of the window's error budget within `period`.

        1 spends exactly the whole budget in the whole window. 2 % in one hour of 30 days is 14.4,
        the fast page of the SRE workbook's multi-window alerts.
        """
        return share * Decimal(self.window / period)
