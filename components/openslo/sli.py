"""An OpenSLO indicator → the counters of a ratio."""

from collections.abc import Mapping
from typing import Any

from components.openslo.findings import Place
from components.openslo.model import IndicatorSpec, Metric, Objective, RatioMetric
from components.openslo.numbers import number
from components.openslo.queries import counter, within
from plugin.promql.expressions import ExpressionError

_PROMQL = frozenset({"prometheus", "amazonprometheus", "thanos", "mimir", "cortex"})
"""Sources that are asked in PromQL; files write them with capitals or without."""

_QUERY_KEYS = ("query", "promql")

Sources = Mapping[str, str | None]
"""The types of the file's DataSources, by name."""


def counters(
    indicator: IndicatorSpec, objective: Objective, place: Place, promise: Place, sources: Sources
) -> dict[str, str]:
    """{total, good or bad} of `objective`. `place` is the indicator's, `promise` the objective's.

    Raises OpenSLOError.
    """
    ratio, threshold = indicator.ratio_metric, indicator.threshold_metric
    if ratio is not None and threshold is None:
        _without_threshold(objective, promise)
        return _ratio(ratio, place.at("ratioMetric"), sources)
    if threshold is not None and ratio is None:
        return _threshold(threshold, objective, place.at("thresholdMetric"), promise, sources)
    raise place.refused("give either ratioMetric or thresholdMetric")


def _ratio(metric: RatioMetric, place: Place, sources: Sources) -> dict[str, str]:
    if metric.raw is not None:
        raise place.at("raw").refused(
            "is a ratio already, which says nothing of how many requests it stands for; give "
            "total and good or bad"
        )
    if metric.counter is False:
        raise place.at("counter").refused(
            "false means numbers per interval, of which nothing can be counted; give counters"
        )
    if metric.counter is None:
        place.at("counter").warn("is missing; taken for true")
    if metric.total is None:
        raise place.at("total").refused("is missing; give the counter of all events")
    if (metric.good is None) == (metric.bad is None):
        raise place.refused("give either good or bad, beside total")
    parts = {"good": metric.good, "bad": metric.bad, "total": metric.total}
    return {
        name: _counter(part, place.at(name), sources)
        for name, part in parts.items()
        if part is not None
    }


def _without_threshold(objective: Objective, promise: Place) -> None:
    if objective.value is not None:
        raise promise.at("value").refused(
            "means nothing for a ratioMetric, whose events are good or bad already; remove it, or "
            "use a thresholdMetric"
        )
    if objective.op is not None:
        promise.at("op").warn("means nothing for a ratioMetric and is passed over")


def _threshold(
    metric: Metric, objective: Objective, place: Place, promise: Place, sources: Sources
) -> dict[str, str]:
    if objective.op is None or objective.value is None:
        raise promise.refused("a thresholdMetric needs op and value; write op: lte, value: 0.5")
    if objective.op == "lt":
        promise.at("op").warn("taken for lte: a histogram's buckets include their bound")
    elif objective.op != "lte":
        raise promise.at("op").refused(
            f"{objective.op} cannot be counted; only what is at most value can: write op: lte"
        )
    bound = number(objective.value, promise.at("value"))
    query, place = _query(metric, place, sources)
    try:
        good, total = within(query, bound)
    except ExpressionError as error:
        raise place.refused(str(error)) from None
    return {"good": str(good), "total": str(total)}


def _counter(metric: Metric, place: Place, sources: Sources) -> str:
    query, place = _query(metric, place, sources)
    try:
        return str(counter(query))
    except ExpressionError as error:
        raise place.refused(str(error)) from None


def _query(metric: Metric, place: Place, sources: Sources) -> tuple[str, Place]:
    """The PromQL of a metric, and where it stands."""
    source, place = metric.metric_source, place.at("metricSource")
    kind, reference = source.type, source.metric_source_ref
    if kind is None and reference is not None:
        kind = sources.get(reference)
    if kind is None:
        place.at("type").warn("is missing; taken for Prometheus")
    elif kind.lower() not in _PROMQL:
        raise place.at("type").refused(f"{kind} cannot be asked; the judge asks Prometheus")
    return _text(source.spec, place.at("spec"))


def _text(spec: Any, place: Place) -> tuple[str, Place]:
    """OpenSLO leaves open what a source's `spec` looks like; for Prometheus it is {query}."""
    if isinstance(spec, str) and spec.strip():
        return spec, place
    if isinstance(spec, Mapping):
        for key in _QUERY_KEYS:
            if isinstance(query := spec.get(key), str) and query.strip():
                return query, place.at(key)
    raise place.at("query").refused("is missing; give the counter, as sum(rate(NAME{…}[5m]))")
