"""From objectives to the counters they are counted in."""

import re
from decimal import Decimal

import pytest

from plugin.indicators import PRESETS, Field, Scheme, by_labels, indicator
from plugin.slo import SLO, Objective

ARM = {
    Field.NAMESPACE: "shop",
    Field.SERVICE: "checkout",
    Field.WORKLOAD: "checkout",
    Field.VERSION: "1.1",
    Field.BACKEND: "checkout-canary",
    Field.REPORTER: "source",
}


def latency(threshold: str) -> Objective:
    slo = SLO.model_validate({"latency": {"percentile": 95, "threshold": threshold}})
    return slo.objectives[0]


@pytest.mark.parametrize(("preset", "bound"), [("istio", "500"), ("spring", "0.5")])
def test_a_threshold_is_written_in_the_unit_of_the_histogram(preset: str, bound: str) -> None:
    buckets = indicator(latency("500ms"), PRESETS[preset]).sources[0]
    (le,) = (one for one in buckets.matchers if one.label == "le")
    assert re.fullmatch(le.value, bound)


def test_a_native_histogram_has_no_buckets_of_its_own_name() -> None:
    """Only where it is said to be one: not every server knows their functions."""
    classic = indicator(latency("500ms"), PRESETS["prom-client"])
    native = indicator(latency("500ms"), PRESETS["prom-client"], native=True)
    assert {one.metric for one in classic.sources} == {"http_request_duration_seconds_bucket"}
    assert {one.metric for one in native.sources} == {"http_request_duration_seconds"}


def availability(preset: str, application: Scheme) -> str:
    slo = SLO.model_validate({"availability": 99})
    source = indicator(slo.objectives[0], PRESETS[preset], application).sources[0]
    return " or ".join(source.selectors("canary", ARM))


def test_the_arms_are_those_of_the_metric() -> None:
    """Only an application's own metrics have the labels that a question may rename."""
    renamed = by_labels("ns", "job", "release")
    assert availability("prom-client", renamed) == (
        'http_requests_total{ns="shop",job="checkout",release="1.1"}'
    )
    assert 'destination_workload="checkout"' in availability("istio", renamed)
    assert 'ingress="checkout",canary!=""' in availability("nginx", renamed)


@pytest.mark.parametrize(
    ("preset", "reporter", "apart"),
    [
        ("istio", "source", False),
        ("istio", "waypoint", False),
        ("istio", "destination", True),
        ("nginx", "source", False),
        ("spring", "source", True),
        ("prom-client", "source", True),
    ],
)
def test_it_is_known_whether_both_arms_are_in_one_scrape(
    preset: str, reporter: str, apart: bool
) -> None:
    """They are where one proxy counts for both, and not where the pods count themselves."""
    one = indicator(latency("500ms"), PRESETS[preset])
    arm = {**ARM, Field.REPORTER: reporter}
    assert one.apart(arm) is apart
    # Of proxies, which are many, it is not asked whether all can be scraped.
    assert bool(one.unscraped("canary", arm)) is apart


def test_targets_are_looked_for_by_the_label_that_names_their_pods_namespace() -> None:
    """Not in all of a cluster: that would be dear."""
    one = indicator(latency("500ms"), PRESETS["spring"], by_labels("ns", "x", "y", restarts=True))
    assert 'up{ns="shop"}' in (one.unscraped("canary", ARM) or "")
    beside = indicator(latency("500ms"), PRESETS["istio"])
    arm = {**ARM, Field.REPORTER: "destination"}
    assert 'up{namespace="shop"}' in (beside.unscraped("stable", arm) or "")


def test_a_ratio_is_counted_by_its_own_counters() -> None:
    ratio = {"bad": 'sum(rate(istio_requests_total{response_code="429"}[5m]))', "total": "all"}
    slo = SLO.model_validate({"ratios": {"shed": {**ratio, "target": 99}}})
    bad, total = indicator(slo.objectives[0], PRESETS["istio"]).sources
    assert bad.selectors("canary", ARM)[0].startswith('istio_requests_total{reporter="source"')
    assert total.selectors("canary", ARM) == ['all{namespace="shop",app="checkout",version="1.1"}']


def test_only_istio_knows_requests_that_found_no_pod() -> None:
    slo = SLO(availability=Decimal(99))
    assert indicator(slo.objectives[0], PRESETS["istio"]).unreached
    assert not indicator(slo.objectives[0], PRESETS["spring"]).unreached
