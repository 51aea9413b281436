"""Rules that Prometheus can evaluate, under the names that Sloth's dashboards know."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import promql_parser
import pytest
import yaml

from components.manifests.manifest import Body
from components.manifests.slievents import Whole
from components.manifests.slirates import Buckets, Counters, Events, NativeHistograms
from components.manifests.slorules import Subject, objects, prometheus_rule
from components.spec.service import ServiceSpec, resolve
from components.spec.site import Site
from plugin.slo import SLO, Objective

MakeSpec = Callable[..., ServiceSpec]

BAD = Counters(('requests_total{job="shop"}',), ('requests_total{job="shop",code=~"5.."}',))
GOOD = Counters(("orders_total",), ('orders_total{ok="1"}',), part_is_good=True)
CLASSIC = Buckets(('seconds_bucket{le="+Inf"}',), ('seconds_bucket{le="0.25"}',))
NATIVE = NativeHistograms(("seconds",), Decimal("0.25"))
WHOLE = Whole("checkout", "shop")
ID = 'sloth_id="checkout-errors",sloth_service="checkout",sloth_slo="errors",namespace="shop"'


def subject(events: Events = BAD, target: str = "0.999", window: str = "30d") -> Subject:
    slo = SLO.model_validate({"availability": 99.9, "window": window})
    return Subject(WHOLE, slo, Objective("errors", Decimal(target)), events)


def rules(subject: Subject) -> Iterator[Body]:
    for group in prometheus_rule(WHOLE, [subject]).body["spec"]["groups"]:
        yield from group["rules"]


def expression(record: str, subject: Subject) -> str:
    (found,) = [rule["expr"] for rule in rules(subject) if rule.get("record") == record]
    return found


def alerts(subject: Subject) -> dict[str, Body]:
    return {rule["labels"]["sloth_severity"]: rule for rule in rules(subject) if "alert" in rule}


def test_groups_and_records_are_called_as_sloth_calls_them() -> None:
    groups = prometheus_rule(WHOLE, [subject()]).body["spec"]["groups"]
    assert [group["name"] for group in groups] == [
        "sloth-slo-sli-recordings-checkout-errors",
        "sloth-slo-meta-recordings-checkout-errors",
        "sloth-slo-alerts-checkout-errors",
    ]
    assert [rule["record"] for rule in groups[0]["rules"]] == [
        "slo:sli_bad:rate5m",
        "slo:sli_total:rate5m",
        *(
            f"slo:sli_error:ratio_rate{w}"
            for w in ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
        ),
    ]
    assert [rule["record"] for rule in groups[1]["rules"]] == [
        "slo:objective:ratio",
        "slo:error_budget:ratio",
        "slo:time_period:days",
        "slo:current_burn_rate:ratio",
        "slo:period_burn_rate:ratio",
        "slo:period_error_budget_remaining:ratio",
        "sloth_slo_info",
    ]


def test_every_record_says_whose_it_is() -> None:
    for rule in rules(subject()):
        if "record" in rule:
            own = {
                "sloth_id": "checkout-errors",
                "sloth_service": "checkout",
                "sloth_slo": "errors",
                "namespace": "shop",
            }
            assert own.items() <= rule["labels"].items()
        if "ratio_rate" in rule.get("record", ""):
            assert rule["record"].endswith(f"ratio_rate{rule['labels']['sloth_window']}")


def test_a_ratio_is_zero_without_errors_and_absent_without_traffic() -> None:
    """No error series yet is no failure of the rules, and 0/0 would spoil every longer window."""
    total = 'sum(rate(requests_total{job="shop"}[1h]))'
    bad = 'sum(rate(requests_total{job="shop",code=~"5.."}[1h]))'
    assert expression("slo:sli_error:ratio_rate1h", subject()) == (
        f"({bad} or 0 * {total}) / ({total} > 0)"
    )


def test_the_period_weighs_each_minute_by_its_traffic() -> None:
    """A mean of ratios would count a quiet night's single failure like a busy day's thousands."""
    assert expression("slo:sli_error:ratio_rate30d", subject()) == (
        f"sum_over_time(slo:sli_bad:rate5m{{{ID}}}[30d]) / "
        f"(sum_over_time(slo:sli_total:rate5m{{{ID}}}[30d]) > 0)"
    )


def test_the_numbers_of_the_objective_are_exact() -> None:
    assert expression("slo:objective:ratio", subject()) == "vector(0.999)"
    assert expression("slo:error_budget:ratio", subject()) == "vector(0.001)"
    assert expression("slo:time_period:days", subject(window="36h")) == "vector(1.5)"


def test_a_page_needs_the_long_and_the_short_window() -> None:
    def over(window: str, rate: str) -> str:
        ratio = f"slo:sli_error:ratio_rate{window}{{{ID}}}"
        return f"max without (sloth_window) ({ratio} > ({rate} * 0.001))"

    assert alerts(subject())["page"]["expr"] == (
        f"({over('5m', '14.4')} and {over('1h', '14.4')}) or "
        f"({over('30m', '6')} and {over('6h', '6')})"
    )


def test_alerts_carry_what_a_route_and_a_reader_need() -> None:
    page, ticket = alerts(subject())["page"], alerts(subject())["ticket"]
    assert page["alert"] == ticket["alert"] == "ErrorBudgetBurn"
    assert page["labels"] == {"sloth_severity": "page", "severity": "critical"}
    assert ticket["labels"] == {"sloth_severity": "ticket", "severity": "warning"}
    assert page["annotations"] == {
        "summary": "checkout spends its error budget for errors too fast",
        "description": "{{ $value | humanizePercentage }} of the requests are bad; over 30d 0.1 % "
        "may be. Fires at a burn rate of 14.4 over 1h or 6 over 6h.",
    }


def test_a_severity_that_could_never_fire_has_no_alert() -> None:
    assert set(alerts(subject(target="0.6"))) == {"ticket"}


@pytest.mark.parametrize("window", ["1d", "36h", "7d", "28d", "30d", "90d", "365d"])
@pytest.mark.parametrize("events", [BAD, GOOD, CLASSIC, NATIVE])
@pytest.mark.parametrize("target", ["0.5", "0.95", "0.99999"])
def test_every_expression_is_promql(events: Events, target: str, window: str) -> None:
    for rule in rules(subject(events, target, window)):
        promql_parser.parse(rule["expr"])


def test_the_rules_count_where_the_judge_is_told_to_count(make_spec: MakeSpec) -> None:
    """Else an error budget would be spent by other requests than those that releases answer for."""
    slo = {"availability": 99, "latency": {"percentile": 95, "threshold": "300ms"}}
    (rule,) = objects(make_spec(slo=slo | {"metrics": "prom-client", "histograms": "native"}))
    text = yaml.safe_dump(rule.body)
    assert "http_requests_total{" in text
    assert "histogram_fraction(-Inf, 0.3, " in text
    assert "istio_" not in text


def test_a_service_has_one_object_whatever_its_releases(make_spec: MakeSpec) -> None:
    """Rules of a version would begin a new error budget with each release."""
    (first,) = objects(make_spec(image="shop/checkout:1.8.0"))
    (second,) = objects(make_spec(image="shop/checkout:1.9.0"))
    assert first == second
    assert (first.kind, first.name) == ("PrometheusRule", "checkout")
    assert first.body["metadata"]["namespace"] == "shop"
    names = [group["name"] for group in first.body["spec"]["groups"]]
    assert len(set(names)) == len(names) == 6
    yaml.safe_dump(first.body)


def test_a_service_without_objectives_has_no_rules(make_spec: MakeSpec) -> None:
    assert objects(make_spec(strategy="rolling", slo=None)) == []


def test_a_cluster_that_does_not_know_the_kind_gets_none(make_site: Callable[..., Site]) -> None:
    args = {"image": "shop/checkout:1.8.0", "slo": {"availability": 99.9}}
    assert objects(resolve("checkout", args, make_site(rules=False))) == []
    assert len(objects(resolve("checkout", args, make_site(rules=True)))) == 1


def test_labels_are_text() -> None:
    """The operator refuses a label that YAML would read as a number."""
    for rule in rules(subject()):
        assert all(isinstance(value, str) for value in rule["labels"].values())
