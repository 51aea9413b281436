"""From an objective to its indicator."""

from datetime import timedelta

from plugin.indicators import folds
from plugin.indicators.indicator import Indicator, Source
from plugin.indicators.presets import Preset
from plugin.indicators.schemes import APPLICATION, Scheme, scheme_of
from plugin.promql.expressions import read_counter
from plugin.promql.le import spellings
from plugin.promql.matchers import Matcher
from plugin.promql.query import histogram_count, histogram_within
from plugin.slo import Objective, Ratio


def indicator(
    objective: Objective,
    preset: Preset,
    application: Scheme = APPLICATION,
    native: bool = False,
) -> Indicator:
    """Where this objective is counted, by the preset or by a team's own ratio.

    `application` is how the service's own metrics tell the arms apart, and `native` says that the
    histogram is a native one.
    """
    if objective.ratio is not None:
        return _ratio(objective, objective.ratio, application)
    if objective.threshold is not None:
        latency = _native if native else _classic
        return latency(objective, objective.threshold, preset, application)
    scheme = scheme_of(preset.requests, application)
    statuses = len(preset.status)
    labels = preset.status if preset.grpc is None else (*preset.status, preset.grpc)
    requests = Source("", preset.requests, scheme, labels, preset.only)
    present = folds.tells_status(statuses, float(objective.budget))
    unreached = scheme.unreached is not None
    return Indicator(
        objective, (requests,), folds.server_errors_of_all(statuses), present, unreached
    )


def _classic(
    objective: Objective, threshold: timedelta, preset: Preset, application: Scheme
) -> Indicator:
    scheme = scheme_of(preset.durations, application)
    le = Matcher("le", "=~", f"{spellings(preset.bound(threshold))}|[+]Inf")
    name, only = f"{preset.durations}_bucket", (*preset.only, le)
    buckets = Source("", name, scheme, ("le",), only, zeros=True)
    return Indicator(objective, (buckets,), folds.above_the_bucket_of_all, folds.has_bucket)


def _native(
    objective: Objective, threshold: timedelta, preset: Preset, application: Scheme
) -> Indicator:
    scheme, name = scheme_of(preset.durations, application), preset.durations
    within = histogram_within(preset.bound(threshold))
    sources = (
        Source("count", name, scheme, (), preset.only, histogram_count),
        Source("within", name, scheme, (), preset.only, within, zeros=True),
    )
    return Indicator(objective, sources, folds.above_the_bound_of_all, folds.has_bound)


def _ratio(objective: Objective, ratio: Ratio, application: Scheme) -> Indicator:
    """What was written under bad, good and total, as counters that can be told apart by arm."""

    def source(key: str, text: str) -> Source:
        counter = read_counter(text)
        scheme = scheme_of(counter.metric, application)
        return Source(key, counter.metric, scheme, (), counter.matchers, zeros=key == "good")

    total = source("total", ratio.total)
    if ratio.bad is not None:
        bad = source("bad", ratio.bad)
        return Indicator(objective, (bad, total), folds.bad_of_all)
    good = source("good", ratio.good or "")
    return Indicator(objective, (good, total), folds.all_but_good, folds.has_good)
