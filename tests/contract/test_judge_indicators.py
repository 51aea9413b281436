"""Every preset and every kind of objective against a real Prometheus, with known true counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest

from plugin.statistics.evidence import Strata
from plugin.verdict import Reason, Verdict
from tests.contract.support.history import (
    INTERVALS,
    Array,
    History,
    always,
    counter,
    from_then_on,
)
from tests.contract.support.series import application, istio

Names = Callable[[str, str], dict[str, str]]
"""Namespace and version ("1.1" is the canary's) → labels."""


def renamed(namespace: str, version: str) -> dict[str, str]:
    return {"kubernetes_namespace": namespace, "job": "checkout", "release": version}


def nginx(namespace: str, version: str) -> dict[str, str]:
    canary = f"{namespace}-checkout-canary-80" if version == "1.1" else ""
    return {"namespace": namespace, "ingress": "checkout", "canary": canary}


def nginx_renamed(namespace: str, version: str) -> dict[str, str]:
    names = nginx(namespace, version)
    return {**names, "namespace": "ingress-nginx", "exported_namespace": namespace}


@dataclass(frozen=True)
class Setting:
    """One preset as its instrumentation really names things."""

    metrics: str
    names: Names
    requests: str
    status: str
    durations: str
    bound: str
    labels: Mapping[str, str] = field(default_factory=dict)


SPRING = ("http_server_requests_seconds_count", "status", "http_server_requests_seconds")
NODE = ("http_requests_total", "status_code", "http_request_duration_seconds")
NGINX = (
    "nginx_ingress_controller_requests",
    "status",
    "nginx_ingress_controller_request_duration_seconds",
)
ISTIO = ("istio_requests_total", "response_code", "istio_request_duration_milliseconds")
OTHER = {"namespace": "kubernetes_namespace", "workload": "job", "version": "release"}

SETTINGS = {
    "istio": Setting("istio", istio, *ISTIO, bound="250"),
    "istio on Prometheus 3": Setting("istio", istio, *ISTIO, bound="250.0"),
    "spring": Setting("spring", application, *SPRING, bound="0.25"),
    "spring, other labels": Setting("spring", renamed, *SPRING, bound="0.25", labels=OTHER),
    "prom-client": Setting("prom-client", application, *NODE, bound="0.25"),
    "prom-client, code": Setting(
        "prom-client", application, NODE[0], "code", NODE[2], bound="0.25"
    ),
    "prom-client, status": Setting(
        "prom-client", application, NODE[0], "status", NODE[2], bound="0.25"
    ),
    "nginx": Setting("nginx", nginx, *NGINX, bound="0.25"),
    "nginx, label renamed": Setting("nginx", nginx_renamed, *NGINX, bound="0.25"),
}
SLO = {"availability": 99, "latency": {"percentile": 95, "threshold": "250ms"}}


@dataclass(frozen=True)
class Truth:
    total: Array
    bad: Array

    @property
    def later(self) -> "Truth":
        """One interval later."""
        return Truth(self.total[1:], self.bad[1:])


def random(seed: int) -> dict[str, Truth]:
    """Requests of both versions, some of them bad; the canary comes after ten intervals."""
    rng = np.random.default_rng(seed)
    totals = {version: rng.poisson(rate, INTERVALS) for version, rate in (("1.1", 9), ("1.0", 80))}
    totals["1.1"][:10], totals["1.1"][10] = 0, 5
    return {
        version: Truth(total.astype(float), rng.binomial(total, 0.1).astype(float))
        for version, total in totals.items()
    }


def matches(strata: Strata, truth: Mapping[str, Truth]) -> bool:
    """From the canary's birth on."""
    return (
        strata.canary_bad.tolist() == truth["1.1"].bad[10:].tolist()
        and strata.canary_total.tolist() == truth["1.1"].total[10:].tolist()
        and strata.stable_bad.tolist() == truth["1.0"].bad[10:].tolist()
        and strata.stable_total.tolist() == truth["1.0"].total[10:].tolist()
    )


@pytest.mark.parametrize("name", SETTINGS)
def test_every_preset_counts_exactly(past: History, name: str) -> None:
    setting = SETTINGS[name]
    errors, slow = random(1), random(2)
    for version in ("1.1", "1.0", "elsewhere"):
        names = setting.names(past.namespace, version)
        if version == "elsewhere":  # another service of the same namespace
            names |= {key: "cart" for key, value in names.items() if value == "checkout"}
        of_errors, of_slow = (truth.get(version, truth["1.0"]) for truth in (errors, slow))
        good = counter(of_errors.total - of_errors.bad)
        past.add(setting.requests, good, **names, **{setting.status: "200"})
        past.add(setting.requests, counter(of_errors.bad), **names, **{setting.status: "503"})
        within = counter(of_slow.total - of_slow.bad)
        for bound, values in (("0.1", within * 0), (setting.bound, within)):
            past.add(f"{setting.durations}_bucket", values, **names, le=bound)
        past.add(f"{setting.durations}_bucket", counter(of_slow.total), **names, le="+Inf")
    question = past.question(SLO, metrics=setting.metrics, labels=setting.labels)
    counts = past.counts(question)
    assert matches(counts.strata["availability"], errors)
    assert matches(counts.strata["latency"], slow)


def test_probes_of_the_kubelet_are_no_requests_to_a_spring_service(past: History) -> None:
    truth = random(1)
    for version in truth:
        names = application(past.namespace, version)
        past.add(SPRING[0], counter(truth[version].total), **names, status="200", uri="/pay")
        past.add(SPRING[0], counter(always(9)), **names, status="200", uri="/actuator/health")
    strata = past.counts(past.question({"availability": 99}, metrics="spring"))
    assert strata.strata["availability"].canary_total.sum() == truth["1.1"].total.sum()


@pytest.mark.parametrize("classic_too", [False, True])
def test_native_histograms_are_exact_at_the_bounds_of_their_buckets(
    past: History, classic_too: bool
) -> None:
    """0.25 s is one. With both kinds of histograms scraped, each request still counts once."""
    truth = random(3)
    for version in truth:
        names = application(past.namespace, version)
        slow = counter(truth[version].bad)
        fast = counter(truth[version].total) - slow
        # (0.0625, 0.125] and (0.25, 0.5]
        past.add_native(NODE[2], {-3: fast, -1: slow}, **names, instance="x")
        if classic_too:
            past.add(f"{NODE[2]}_bucket", fast, **names, le="0.25")
            past.add(f"{NODE[2]}_bucket", fast + slow, **names, le="+Inf")
    slo = {"latency": {"percentile": 95, "threshold": "250ms"}}
    counts = past.counts(past.question(slo, metrics="prom-client", histograms="native"))
    assert matches(counts.strata["latency"], truth)


def test_a_restarted_native_histogram_counts_from_zero(past: History) -> None:
    served = always(8)
    past.add_native(NODE[2], {-3: counter(served), -1: counter(served * 0)}, **_app(past, "1.0"))
    restarted = counter(served / 2, resets=(40, 70))
    past.add_native(NODE[2], {-3: restarted, -1: restarted}, **_app(past, "1.1"))
    slo = {"latency": {"percentile": 95, "threshold": "250ms"}}
    strata = past.counts(past.question(slo, metrics="prom-client", histograms="native")).strata[
        "latency"
    ]
    assert strata.canary_bad.tolist() == always(4).tolist()
    assert strata.canary_total.tolist() == always(8).tolist()


def _app(past: History, version: str) -> dict[str, str]:
    return application(past.namespace, version)


@pytest.mark.parametrize("good", [False, True])
@pytest.mark.parametrize("written", ["{}", "sum(rate({}[5m]))"])
def test_a_business_ratio_counts_exactly(past: History, good: bool, written: str) -> None:
    """Beside requests that Istio counts; however the counter is written, its increments count."""
    truth = random(4)
    for version in truth:
        names = _app(past, version)
        failed = counter(truth[version].bad, born=True, resets=(50,))
        paid = counter(truth[version].total - truth[version].bad, resets=(50,))
        past.add("payments_total", failed, **names, outcome="failed", instance="a")
        past.add("payments_total", paid, **names, outcome="paid", instance="a")
        served = istio(past.namespace, version, response_code="200")
        past.add("istio_requests_total", counter(always(50)), **served)
    part = (
        {"good": 'payments_total{outcome="paid"}'}
        if good
        else {"bad": 'payments_total{outcome=~"fail.*"}'}
    )
    (key, selector) = next(iter(part.items()))
    ratio = {
        key: written.format(selector),
        "total": written.format("payments_total"),
        "target": 99,
    }
    counts = past.counts(past.question({"availability": 99, "ratios": {"paid": ratio}}))
    # In the first interval also count payments to stable that had no canary to be compared with.
    assert matches(counts.strata["paid"][11:], {name: one.later for name, one in truth.items()})
    strata, canary = counts.strata["paid"], truth["1.1"]
    assert (strata.canary_bad.sum(), strata.canary_total.sum()) == (
        canary.bad.sum(),
        canary.total.sum(),
    )


def test_a_business_ratio_whose_good_events_were_never_seen_is_no_data(past: History) -> None:
    """A misspelt label must not make every payment a failed one."""
    for version in ("1.1", "1.0"):
        past.add("payments_total", counter(always(50)), **_app(past, version), outcome="paid")
        requests = counter(always(50))
        names = istio(past.namespace, version)
        past.add("istio_requests_total", requests, **names, response_code="200")
    ratio = {"good": 'payments_total{outcome="payed"}', "total": "payments_total", "target": 99}
    question = past.question({"availability": 99, "ratios": {"paid": ratio}})
    assert past.judgement(question).reason is Reason.NO_DATA


@pytest.mark.parametrize("lacks", ["1.1", "1.0", ""])
def test_a_bucket_that_one_arm_lacks_is_no_slowness(past: History, lacks: str) -> None:
    """A bucket that is there and stands still is: then every request of the canary was slow."""
    for version, fast in (("1.1", 10 if lacks else 0), ("1.0", 90)):
        for bound, counts in (("0.25", fast), ("+Inf", 10 if version == "1.1" else 90)):
            if (version, bound) != (lacks, "0.25"):
                names = application(past.namespace, version, le=bound)
                past.add("http_request_duration_seconds_bucket", counter(always(counts)), **names)
    latency = {"latency": {"percentile": 95, "threshold": "250ms"}}
    judgement = past.judgement(past.question(latency, metrics="prom-client"))
    if lacks:
        assert judgement.reason is Reason.NO_DATA
        arm = "the canary (checkout 1.1)" if lacks == "1.1" else "stable"
        assert judgement.why.startswith(f"no request within 250ms was counted for {arm}: ")
    else:
        assert judgement.reason.verdict is Verdict.FAIL


def test_events_that_are_scraped_less_often_are_counted_and_compared(past: History) -> None:
    """Every minute, and each pod at a time of its own."""
    for version, phase in (("1.1", 0), ("1.0", 2)):
        failed = counter(always(2 if version == "1.1" else 0))
        paid = counter(always(10))
        for outcome, values in (("failed", failed), ("paid", paid)):
            values[np.arange(INTERVALS) % 4 != phase] = np.nan
            names = {**_app(past, version), "outcome": outcome, "job": "app", "instance": version}
            past.scrape("payments_total", values, names, stale=False)
        requests = counter(always(50))
        names = istio(past.namespace, version)
        past.add("istio_requests_total", requests, **names, response_code="200")
    ratio = {"bad": 'payments_total{outcome="failed"}', "total": "payments_total", "target": 99}
    judgement = past.judgement(past.question({"availability": 50, "ratios": {"paid": ratio}}))
    assert judgement.reason is Reason.REGRESSION
    arms = judgement.cases[1].rollout
    assert (arms.canary_bad.sum(), arms.canary_total.sum()) == (2 * 97, 12 * 97)
    assert arms.comparable.sum() == INTERVALS // 4


def test_a_batch_of_events_costs_the_requests_no_evidence(past: History) -> None:
    for version in ("1.1", "1.0"):
        batches = np.where(np.arange(INTERVALS) % 20 == 5, 5000.0, 1.0)
        past.add("payments_total", counter(batches), **_app(past, version))
        requests = counter(always(50))
        names = istio(past.namespace, version)
        past.add("istio_requests_total", requests, **names, response_code="200")
    ratio = {"bad": 'payments_total{outcome="failed"}', "total": "payments_total", "target": 99}
    question = past.question({"availability": 50, "ratios": {"paid": ratio}})
    counts = past.counts(question)
    assert counts.strata["availability"].canary_total.sum() == 50 * INTERVALS
    assert counts.strata["paid"].canary_total.max() == 1
    judgement = past.judgement(question)
    assert [case.reason for case in judgement.cases] == [Reason.NON_INFERIOR, Reason.NO_DATA]
    assert judgement.why.startswith("most of what is counted for paid comes in bursts")


@pytest.mark.parametrize(("key", "together"), [("good", True), ("good", False), ("bad", False)])
def test_counters_that_are_scraped_apart_make_no_ratio(
    past: History, key: str, together: bool
) -> None:
    """A weight that rises between two scrapes would look like events that were not good."""
    canary = from_then_on(30, 150)
    canary[60:] = 450
    for version, events in (("1.0", 1500 - canary), ("1.1", canary)):
        names = istio(past.namespace, version)
        past.add("istio_requests_total", counter(events, born=True), **names, response_code="200")
        half = np.concatenate((events[:1], (events[1:] + events[:-1]) // 2))
        parts = {"orders_total": events, "orders_part_total": events if together else half}
        for metric, counts in parts.items():
            target = "worker" if metric == "orders_part_total" and not together else "web"
            labels = {**_app(past, version), "job": "shop", "instance": f"{version}-{target}"}
            past.scrape(metric, counter(counts, born=True), labels, delay=0 if together else 7)
    ratio = {key: "orders_part_total", "total": "orders_total", "target": 99}
    judgement = past.judgement(past.question({"availability": 99, "ratios": {"orders": ratio}}))
    if together:
        assert judgement.reason is Reason.NON_INFERIOR
    else:
        assert judgement.reason is Reason.NO_DATA
        assert "scraped from different targets" in judgement.why


def test_grpc_calls_fail_by_their_own_status(past: History) -> None:
    """A call that found no server has the HTTP status 200; one for what is not there is served."""
    for version, ok, unavailable in (("1.0", 90, 0), ("1.1", 5, 5)):
        names = {**istio(past.namespace, version), "response_code": "200"}
        for status, calls in (("0", ok), ("5", ok), ("14", unavailable)):
            counts = counter(always(calls))
            past.add("istio_requests_total", counts, **names, grpc_response_status=status)
    judgement = past.judgement(past.question({"availability": 99}))
    assert judgement.reason.verdict is Verdict.FAIL
    arms = judgement.cases[0].rollout
    assert arms.canary_bad.sum() / arms.canary_total.sum() == 1 / 3
    assert not arms.stable_bad.any()


@pytest.mark.parametrize("failing", [False, True])
def test_a_counter_that_is_there_before_the_total_is_scraped_with_it(
    past: History, failing: bool
) -> None:
    """Clients show a counter without labels at once, and one with labels at its first event."""
    for version, orders in (("1.0", 90.0), ("1.1", 10.0)):
        total = counter(always(orders), born=True)
        for pod in "ab":
            labels = {**_app(past, version), "job": "shop", "instance": f"{version}-{pod}"}
            late = np.where(np.arange(INTERVALS) < 40, 0.0, orders) if pod == "b" else total
            of = counter(late, born=True) if pod == "b" else total
            bad = always(0)
            if failing and version == "1.1":
                bad = np.nan_to_num(of) / 2
            past.add("orders_total", of, **labels, method="post")
            past.add("orders_failed_total", bad, **labels)
        names = istio(past.namespace, version)
        past.add("istio_requests_total", counter(always(50)), **names, response_code="200")
    ratio = {"bad": "orders_failed_total", "total": "orders_total", "target": 99}
    judgement = past.judgement(past.question({"availability": 99, "ratios": {"orders": ratio}}))
    assert judgement.reason.verdict is (Verdict.FAIL if failing else Verdict.PASS)
