"""The rendered rules in a real Prometheus, over three days of requests whose ratios are known."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from components.manifests import slorules
from components.spec.service import resolve
from plugin.judge import Judge
from plugin.judge.begin import may_begin
from plugin.prometheus import Prometheus
from plugin.question import Question
from plugin.verdict import Reason
from tests.contract.support.prometheus import backfill, prometheus
from tests.contract.support.site import SITE

STEP = 60
MINUTES = 3 * 24 * 60 + 10
PER_MINUTE = 6000.0

AVAILABILITY = {"availability": 99.9}
LATENCY = {"latency": {"percentile": 95, "threshold": "250ms"}}
ORDERS = {
    "ratios": {
        "orders": {
            "good": 'sum(rate(orders_total{outcome="placed"}[5m]))',
            "total": "sum(rate(orders_total[5m]))",
            "target": 99,
        }
    }
}

Values = NDArray[np.float64]


def bad_share(usual: float, worse: float = 0, since: int = 0, until: int = 0) -> Values:
    """A share of bad requests per minute: `worse` from `since` until `until` minutes ago."""
    share = np.full(MINUTES, usual)
    share[MINUTES - since : MINUTES - until] = worse
    return share


SHARES = {
    "healthy": bad_share(0.0005),
    "burning": bad_share(0.0005, 0.02, since=70),
    "recovered": bad_share(0.0005, 0.02, since=70, until=10),
    "smouldering": bad_share(0.0015),
}


@cache
def end() -> int:
    """The newest minute, when the first test needs it: other tests may run long before."""
    return int(time.time()) // STEP * STEP


def samples(metric: str, labels: dict[str, str], values: Values) -> Iterator[str]:
    names = ",".join(f'{name}="{value}"' for name, value in labels.items())
    begin = end() - STEP * (len(values) - 1)
    for at, value in enumerate(values):
        yield f"{metric}{{{names}}} {value} {begin + STEP * at}"


def of(service: str, **more: str) -> dict[str, str]:
    return {
        "reporter": "source",
        "destination_service_namespace": "shop",
        "destination_service_name": service,
        **more,
    }


def requests() -> Iterator[str]:
    """All failures are the canary's, or found no pod: they count for the service, gRPC's too."""
    yield "# TYPE istio_requests counter"
    for service, share in SHARES.items():
        bad = np.cumsum(PER_MINUTE * share)
        good = np.cumsum(PER_MINUTE * (1 - share))
        canary = f"{service}-canary"
        yield from samples("istio_requests_total", of(service, response_code="200"), good)
        failed_call = of(canary, response_code="200", grpc_response_status="14")
        for labels in (of(canary, response_code="503"), failed_call):
            yield from samples("istio_requests_total", labels, bad / 2)
        # What the other side of each request, another service and a namesake count, is not ours.
        twice = of(service, response_code="500") | {"reporter": "destination"}
        others = of(f"{service}-v2", response_code="500")
        namesake = of(service, response_code="500") | {"destination_service_namespace": "test"}
        for labels in (twice, others, namesake):
            yield from samples("istio_requests_total", labels, good)
    steady = np.cumsum(np.full(MINUTES, PER_MINUTE))
    yield from samples("istio_requests_total", of("faultless", response_code="200"), steady)
    yield from samples("istio_requests_total", of("idle", response_code="200"), steady * 0)


def durations() -> Iterator[str]:
    yield "# TYPE istio_request_duration_milliseconds histogram"
    total, within = np.full(MINUTES, PER_MINUTE), PER_MINUTE * (1 - bad_share(0.01, 0.8, since=70))
    for bound, values in (("100.0", within / 2), ("250.0", within), ("+Inf", total)):
        labels = of("slow", le=bound)
        metric = "istio_request_duration_milliseconds_bucket"
        yield from samples(metric, labels, np.cumsum(values))


def orders() -> Iterator[str]:
    """A counter of the application's own, which other services have as well."""
    yield "# TYPE orders counter"
    for app, placed in (("shop-orders", 0.8), ("shop-orders-primary", 0.6), ("other", 0.1)):
        for outcome, share in (("placed", placed), ("lost", 1 - placed)):
            labels = {"namespace": "shop", "app": app, "outcome": outcome}
            count = np.cumsum(np.full(MINUTES, PER_MINUTE * share))
            yield from samples("orders_total", labels, count)


def earlier_records() -> Iterator[str]:
    """What the rules of `healthy` have recorded before: a busy day, and a bad but quiet night."""
    labels = {
        "sloth_id": "healthy-availability",
        "sloth_service": "healthy",
        "sloth_slo": "availability",
        "namespace": "shop",
    }
    day = np.ones(12 * 60)
    bad, total = np.concatenate([day * 1.0, day * 5.0]), np.concatenate([day * 1e6, day * 10])
    for name, values in (("bad", bad), ("total", total)):
        yield f"# TYPE slo:sli_{name}:rate5m gauge"
        yield from samples(f"slo:sli_{name}:rate5m", labels, values)


def rule_file(folder: Path) -> Path:
    """A PrometheusRule's `spec` is a rule file."""
    services = dict.fromkeys([*SHARES, "faultless", "idle"], AVAILABILITY)
    services |= {"slow": LATENCY, "shop-orders": ORDERS}
    groups = []
    for name, slo in services.items():
        (manifest,) = slorules.objects(resolve(name, {"image": "shop/x:1", "slo": slo}, SITE))
        groups += manifest.body["spec"]["groups"]
    file = folder / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": groups}))
    return file


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a Prometheus that holds the past and evaluates the rules every second."""
    folder = tmp_path_factory.mktemp("prometheus")
    backfill(folder, [*requests(), *durations(), *orders(), *earlier_records()])
    every = {"evaluation_interval": "1s"}
    with prometheus(folder, rule_files=[str(rule_file(folder))], **{"global": every}) as url:
        until(lambda: recorded(url))
        now = datetime.now(UTC)
        until(lambda: evaluated(url, now))
        yield url


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline, "the rules were not evaluated within two minutes"
        time.sleep(0.5)


def get(url: str, path: str, **params: str) -> Any:
    return httpx.get(f"{url}/api/v1/{path}", params=params, trust_env=False).json()["data"]


def rules(url: str) -> list[Any]:
    return [rule for group in get(url, "rules")["groups"] for rule in group["rules"]]


def recorded(url: str) -> bool:
    """What the alerts read is there: every service with traffic has its longest window."""
    longest = "slo:sli_error:ratio_rate3d"
    others = values(url, longest, slo="latency") | values(url, longest, slo="orders")
    return set(values(url, longest)) == {*SHARES, "faultless"} and len(others) == 2


def evaluated(url: str, since: datetime) -> bool:
    """Every rule has run after that moment, so alerts have seen what was recorded until then."""
    return all(datetime.fromisoformat(rule["lastEvaluation"]) > since for rule in rules(url))


def values(url: str, record: str, slo: str = "availability") -> dict[str, float]:
    """The current value of a record, by service."""
    found = get(url, "query", query=f'{record}{{sloth_slo="{slo}",namespace="shop"}}')["result"]
    return {each["metric"]["sloth_service"]: float(each["value"][1]) for each in found}


def test_prometheus_accepts_the_rules(url: str) -> None:
    assert [rule["lastError"] for rule in rules(url) if rule["health"] != "ok"] == []


def test_error_ratios_are_those_of_the_requests(url: str) -> None:
    """By hand; the last minutes move on while the test runs, hence the tolerance."""
    expected = {
        "5m": {"healthy": 0.0005, "burning": 0.02, "recovered": 0.0005, "smouldering": 0.0015},
        "1h": {
            "healthy": 0.0005,
            "burning": 0.02,
            "recovered": (50 * 0.02 + 10 * 0.0005) / 60,
            "smouldering": 0.0015,
        },
        "6h": {
            "healthy": 0.0005,
            "burning": (70 * 0.02 + 290 * 0.0005) / 360,
            "recovered": (60 * 0.02 + 300 * 0.0005) / 360,
            "smouldering": 0.0015,
        },
        "3d": {
            "healthy": 0.0005,
            "burning": (70 * 0.02 + 4250 * 0.0005) / 4320,
            "recovered": (60 * 0.02 + 4260 * 0.0005) / 4320,
            "smouldering": 0.0015,
        },
    }
    for window, ratios in expected.items():
        measured = values(url, f"slo:sli_error:ratio_rate{window}")
        assert {name: measured[name] for name in ratios} == pytest.approx(ratios, rel=0.03)


def test_no_failure_is_zero_and_no_traffic_is_nothing(url: str) -> None:
    measured = values(url, "slo:sli_error:ratio_rate1h")
    assert measured["faultless"] == 0
    assert "idle" not in measured


def test_latency_is_a_share_of_slow_requests(url: str) -> None:
    measured = values(url, "slo:sli_error:ratio_rate5m", slo="latency")
    assert measured == pytest.approx({"slow": 0.8}, rel=0.01)


def test_a_ratio_of_the_teams_own_counts_its_pods_only(url: str) -> None:
    """Of two equally busy copies one loses 20 % and the other 40 %."""
    measured = values(url, "slo:sli_error:ratio_rate5m", slo="orders")
    assert measured == pytest.approx({"shop-orders": 0.3}, rel=0.01)


def test_the_burn_rate_is_the_ratio_over_the_budget(url: str) -> None:
    measured = values(url, "slo:current_burn_rate:ratio")
    assert measured["healthy"] == pytest.approx(0.5, rel=0.03)
    assert measured["burning"] == pytest.approx(20, rel=0.03)
    assert values(url, "slo:current_burn_rate:ratio", slo="latency")["slow"] == pytest.approx(
        0.8 / 0.05, rel=0.01
    )
    assert values(url, "slo:objective:ratio")["healthy"] == 0.999
    assert values(url, "slo:time_period:days")["healthy"] == 30


def test_the_remaining_budget_weighs_by_traffic(url: str) -> None:
    """(1 + 5) bad of (1000000 + 10) per second: 0.6 % of the budget.

    The mean of both ratios is 25 %, or 250 budgets.
    """
    assert values(url, "slo:period_error_budget_remaining:ratio")["healthy"] == pytest.approx(
        1 - (6 / 1000010) / 0.001, abs=0.001
    )


def test_whoever_burns_is_told_and_nobody_else(url: str) -> None:
    """What has recovered is over; what smoulders is for working hours."""
    alerts = {
        (
            alert["labels"]["sloth_service"],
            alert["labels"]["sloth_slo"],
            alert["labels"]["sloth_severity"],
        )
        for alert in get(url, "alerts")["alerts"]
        if alert["state"] == "firing"
    }
    assert alerts == {
        ("burning", "availability", "page"),
        ("slow", "latency", "page"),
        ("shop-orders", "orders", "page"),
        ("shop-orders", "orders", "ticket"),
        ("smouldering", "availability", "ticket"),
    }


def test_an_alert_says_what_is_wrong(url: str) -> None:
    (page,) = [
        alert
        for alert in get(url, "alerts")["alerts"]
        if alert["labels"]["sloth_service"] == "burning"
    ]
    assert page["labels"]["alertname"] == "ErrorBudgetBurn"
    assert page["labels"]["namespace"] == "shop"
    assert page["labels"]["severity"] == "critical"
    summary = "burning spends its error budget for availability too fast"
    assert page["annotations"]["summary"] == summary
    assert page["annotations"]["description"].startswith(
        "2% of the requests are bad; over 30d 0.1 % "
    )


@pytest.mark.parametrize(
    ("service", "reason", "said"),
    [
        ("healthy", Reason.MAY_BEGIN, "99 % of the availability budget left"),
        ("shop-orders", Reason.BUDGET_EXHAUSTED, "the error budget for orders is spent"),
        ("unheard-of", Reason.MAY_BEGIN, "what is not known holds nothing up"),
    ],
)
async def test_a_freeze_holds_releases_while_the_budget_is_spent(
    url: str, service: str, reason: Reason, said: str
) -> None:
    question = Question.model_validate(
        {
            "service": service,
            "namespace": "shop",
            "slo": AVAILABILITY,
            "arms": {
                "canary": {"workload": service, "version": "2"},
                "stable": {"workload": service, "not_version": "2"},
            },
            "policy": {"freeze": True},
        }
    )
    source = Prometheus(url, lambda _seconds, _outcome: None)
    try:
        judgement = await may_begin(Judge(source, STEP), question)
    finally:
        await source.close()
    assert judgement.reason is reason
    assert said in judgement.why
