"""The parts of OpenSLO v1 objects that Sluice reads.

Contract: github.com/OpenSLO/OpenSLO, README. Published files keep to it loosely, so unknown keys
are passed over, almost everything may be missing, and what must be there is checked where it is
used. Numbers are still text here (`documents` reads them so).
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel


class Lenient(BaseModel):
    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, validate_by_name=True
    )


def _a_list(value: Any) -> Any:
    """One item may stand without its list, and null for an empty one."""
    if value is None:
        return []
    return [value] if isinstance(value, Mapping) else value


def _with_spec(value: Any) -> Any:
    """An inline indicator may lack the level `spec`."""
    if isinstance(value, Mapping) and "spec" not in value:
        return {"spec": value}
    return value


class TimeWindow(Lenient):
    duration: str | None = None
    is_rolling: bool | None = None
    calendar: Mapping[Any, Any] | None = None


TimeWindows = Annotated[tuple[TimeWindow, ...], BeforeValidator(_a_list)]


class MetricSource(Lenient):
    metric_source_ref: str | None = None
    type: str | None = None
    spec: Any = None


class Metric(Lenient):
    metric_source: MetricSource


class RatioMetric(Lenient):
    counter: bool | None = None
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    raw: Any = None


class IndicatorSpec(Lenient):
    ratio_metric: RatioMetric | None = None
    threshold_metric: Metric | None = None


class Indicator(Lenient):
    spec: IndicatorSpec


InlineIndicator = Annotated[Indicator, BeforeValidator(_with_spec)]


class Objective(Lenient):
    display_name: str | None = None
    op: str | None = None
    value: str | None = None
    target: str | None = None
    target_percent: str | None = None
    time_slice_target: str | None = None
    time_slice_window: str | None = None
    indicator: InlineIndicator | None = None
    indicator_ref: str | None = None
    time_window: TimeWindows = ()


class SLOSpec(Lenient):
    indicator: InlineIndicator | None = None
    indicator_ref: str | None = None
    time_window: TimeWindows = ()
    budgeting_method: str | None = None
    objectives: Annotated[tuple[Objective, ...], BeforeValidator(_a_list)] = ()
    alert_policies: Any = None


class SLOObject(Lenient):
    spec: SLOSpec


class DataSourceSpec(Lenient):
    type: str | None = None


class DataSourceObject(Lenient):
    spec: DataSourceSpec
