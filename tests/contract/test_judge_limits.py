"""Limits against a real Prometheus: a canary fails by them, and a scrape that fails does not."""

import numpy as np
import pytest

from plugin.verdict import Reason
from tests.contract.support.good import OPEN, judged, released, serve, served, signal
from tests.contract.support.history import (
    BEGIN,
    INTERVALS,
    NEVER,
    STEP,
    Array,
    History,
    always,
    counter,
    from_then_on,
)
from tests.contract.support.series import application, istio

HEAP = {"heap": {"value": 'sum by (pod) (heap_bytes{area="heap"})', "most": 2e9, "for": "2m"}}


def heap(past: History, version: str, values: Array) -> None:
    names = application(past.namespace, version)
    for pod in ("a", "b"):
        small = values if pod == "a" else values / 10
        past.add("heap_bytes", small, **names, pod=f"{version}-{pod}", area="heap")
    past.add("heap_bytes", values * 9, **names, pod=f"{version}-a", area="nonheap")


def test_a_canary_beyond_a_limit_for_long_enough_fails(past: History) -> None:
    serve(past)
    heap(past, "1.1", from_then_on(80, 3e9, before=1e9))
    heap(past, "1.0", always(1.5e9))
    judgement = judged(past, limits=HEAP)
    assert judgement.reason is Reason.LIMIT_EXCEEDED
    assert judgement.why == (
        "the canary's heap is 3e+09 (stable: 1.5e+09), above the bound 2e+09 for 2m"
    )
    assert signal(judgement, "heap").canary == 3e9


@pytest.mark.parametrize(
    ("canary", "stable", "reason"),
    [
        pytest.param(always(1e9), always(1e9), Reason.NON_INFERIOR, id="within"),
        pytest.param(from_then_on(95, 3e9, 1e9), always(1e9), Reason.GATHERING, id="not for long"),
        pytest.param(always(3e9), always(3e9), Reason.COMMON_MODE, id="both"),
        pytest.param(always(1e9), always(3e9), Reason.NON_INFERIOR, id="stable alone"),
        pytest.param(NEVER, always(1e9), Reason.NO_DATA, id="never seen"),
        pytest.param(
            np.where(np.arange(INTERVALS) < 70, 1e9, np.nan), always(1e9), Reason.NO_DATA, id="gone"
        ),
        pytest.param(
            np.where(np.arange(INTERVALS) % 5, 3e9, 1e9), always(1e9), Reason.GATHERING, id="flaps"
        ),
        pytest.param(
            np.where((np.arange(INTERVALS) > 50) & (np.arange(INTERVALS) < 70), 3e9, 1e9),
            always(1e9),
            Reason.LIMIT_EXCEEDED,
            id="was beyond it",
        ),
        pytest.param(
            np.where((np.arange(INTERVALS) > 50) & (np.arange(INTERVALS) < 73), 3e9, 1e9),
            np.where((np.arange(INTERVALS) > 50) & (np.arange(INTERVALS) < 70), 3e9, 1e9),
            Reason.NON_INFERIOR,
            id="recovered a little after stable",
        ),
    ],
)
def test_only_a_canary_that_is_beyond_alone_and_long_enough_fails(
    past: History, canary: Array, stable: Array, reason: Reason
) -> None:
    serve(past)
    heap(past, "1.1", canary)
    heap(past, "1.0", stable)
    assert judged(past, limits=HEAP).reason is reason


def test_a_value_that_is_no_number_is_no_value(past: History) -> None:
    """A division by nothing must neither decide nor spoil the whole answer."""
    serve(past)
    heap(past, "1.1", always(0))
    heap(past, "1.0", always(1))
    limits = {
        name: {
            "value": f'heap_bytes{{area="heap"}} / heap_bytes{{area="heap"}} * {factor}',
            "most": 9,
        }
        for name, factor in (("nan", "1"), ("inf", "Inf"))
    }
    judgement = judged(past, limits=limits)
    assert judgement.reason is Reason.NO_DATA
    assert signal(judgement, "nan").canary is None
    assert signal(judgement, "nan").stable == 1
    assert signal(judgement, "inf").stable is None


def test_the_least_value_of_an_arm_is_compared_with_least(past: History) -> None:
    serve(past)
    heap(past, "1.1", always(100))
    heap(past, "1.0", always(1000))
    limits = {"pool": {"value": 'heap_bytes{area="heap"}', "least": 50, "for": "1m"}}
    judgement = judged(past, limits=limits)
    assert judgement.reason is Reason.LIMIT_EXCEEDED
    assert (signal(judgement, "pool").canary, signal(judgement, "pool").stable) == (10, 100)


def test_two_prometheus_servers_double_no_value(past: History) -> None:
    serve(past)
    for version, used in (("1.1", 1.5e9), ("1.0", 1e9)):
        names = application(past.namespace, version, pod=version)
        for server in ("a", "b"):
            past.add("heap_bytes", always(used), **names, area="heap", prometheus_replica=server)
    limits = {"heap": {"value": 'sum(heap_bytes{area="heap"})', "most": 2e9}}
    judgement = judged(past, limits=limits)
    assert judgement.reason is Reason.NON_INFERIOR
    assert signal(judgement, "heap").canary == 1.5e9


ORDERS = {"orders": {"value": "sum(rate(orders_total[5m]))", "least": 5}}
HOLE = slice(50, 66)


def own(past: History, metric: str, version: str, values: Array, pod: str = "a") -> None:
    """A metric of the application itself."""
    names = application(past.namespace, version)
    past.add(metric, values, **names, job="shop", instance=f"{version}-{pod}")


@pytest.mark.parametrize("also", ["1.0", ""], ids=["of both arms", "of the canary"])
def test_failed_scrapes_do_not_fail_a_rate(past: History, also: str) -> None:
    """What a range forgets in a hole is not missing from the canary."""
    serve(past)
    for version, rate in (("1.1", 150), ("1.0", 1350)):
        values = counter(always(rate))
        values[HOLE if version in {"1.1", also} else slice(0)] = np.nan
        own(past, "orders_total", version, values)
    assert judged(past, limits=ORDERS).reason is Reason.NON_INFERIOR


@pytest.mark.parametrize("warm_up", ["0s", "60s"])
def test_a_range_that_reaches_back_before_the_release_fails_nothing(
    past: History, warm_up: str
) -> None:
    """A good canary whose rate has yet to fill, and one that was slow while it was cold."""
    for version, count in (("1.0", always(1350)), ("1.1", from_then_on(50, 150))):
        served(past, version, counter(count, born=True))
        own(past, "orders_total", version, counter(count, born=True))
        slow = from_then_on(50, 40) if version == "1.1" else always(0)
        slow[53:] = 0
        within = counter(count - slow, born=True)
        for le, values in (("0.1", within), ("+Inf", counter(count, born=True))):
            names = application(past.namespace, version)
            past.add("lag_seconds_bucket", values, **names, le=le)
    lag = "histogram_quantile(0.9, sum by (le) (rate(lag_seconds_bucket[5m])))"
    policy = {"lookback": "1500s", "warm_up": warm_up}
    limits = ORDERS | {"lag": {"value": lag, "most": 0.099}}
    judgement = past.judgement(past.question({**OPEN, "limits": limits}, policy=policy))
    assert judgement.reason is Reason.NON_INFERIOR


def test_a_pod_that_is_not_scraped_is_not_missing_from_a_sum(past: History) -> None:
    serve(past)
    for version in ("1.0", "1.1"):
        for pod in "ab":
            values, up = always(10), always(1)
            if (version, pod) == ("1.1", "b"):
                values[50:], up[50:] = np.nan, 0
            own(past, "consumers", version, values, pod)
            own(past, "up", version, up, pod)
    limits = {"consumers": {"value": "sum(consumers)", "least": 15}}
    judgement = judged(past, limits=limits)
    assert judgement.reason is Reason.GATHERING
    assert "1 target of the canary's that consumers is measured on cannot be" in judgement.why


def test_a_rate_that_really_is_too_low_fails(past: History) -> None:
    serve(past)
    for version, rate in (("1.1", from_then_on(40, 30, before=150)), ("1.0", always(1350))):
        own(past, "orders_total", version, counter(rate))
        own(past, "up", version, always(1))
    judgement = judged(past, limits=ORDERS)
    assert judgement.reason is Reason.LIMIT_EXCEEDED


@pytest.mark.parametrize("phase", range(4))
@pytest.mark.parametrize("lasting", ["1m", "90s", "2m"])
def test_a_limit_that_is_measured_once_a_minute_never_passes_beyond_its_bound(
    past: History, phase: int, lasting: str
) -> None:
    """It fails if two samples fit into the time."""
    serve(past)
    for version, depth in (("1.0", 5.0), ("1.1", 50.0)):
        values = always(depth)
        values[np.arange(INTERVALS) % 4 != phase] = np.nan
        names = application(past.namespace, version)
        past.scrape("queue_depth", values, names, stale=False, delay=4)
    limits = {"queue": {"value": "queue_depth", "most": 10, "for": lasting}}
    judgement = judged(past, limits=limits)
    held = Reason.LIMIT_EXCEEDED if lasting == "2m" else Reason.GATHERING
    assert judgement.reason is held


def test_a_pod_that_answers_no_scrape_keeps_its_heap_from_passing(past: History) -> None:
    """It was beyond the bound, and nobody sees any more that it still is. Other ports may fail."""
    serve(past)
    for version in ("1.0", "1.1"):
        for pod in "ab":
            values, up = always(1e9), always(1)
            if (version, pod) == ("1.1", "b"):
                values[48:50], values[50:], up[50:] = 3e9, np.nan, 0
            labels = {"namespace": past.namespace, "job": "shop", "instance": f"{version}-{pod}"}
            past.add("heap_bytes", values, **labels, app="checkout", version=version)
            past.add("up", up, **labels, app="checkout", version=version)
    limits = {"heap": {"value": "max(heap_bytes)", "most": 2e9}}
    judgement = judged(past, limits=limits)
    assert judgement.reason is Reason.NO_DATA
    assert "(up is 0)" in judgement.why


def test_a_target_that_never_had_the_metric_holds_nothing(past: History) -> None:
    serve(past)
    for version in ("1.0", "1.1"):
        labels = {"namespace": past.namespace, "job": "shop", "app": "checkout"}
        heap = from_then_on(60, 3e9 if version == "1.1" else 1e9, before=1e9)
        past.add("heap_bytes", heap, **labels, version=version, instance=f"{version}:80")
        past.add("up", always(1), **labels, version=version, instance=f"{version}:80")
        past.add("up", always(0), **labels, version=version, instance=f"{version}:81")
    limits = {"heap": {"value": "max(heap_bytes)", "most": 2e9}}
    assert judged(past, limits=limits).reason is Reason.LIMIT_EXCEEDED


@pytest.mark.parametrize("value", ["sum(depth)", "sum(rate(oops_total[5m]))"])
def test_a_hole_in_stable_does_not_make_an_incident_the_canarys_own(
    past: History, value: str
) -> None:
    """Scrapes fail when there is trouble."""
    serve(past)
    for version in ("1.0", "1.1"):
        for pod in "ab":
            depth, oops = always(60), counter(always(15))
            if version == "1.0" and (pod == "b" or "rate" in value):
                depth[70:82], oops[70:86] = np.nan, np.nan
            own(past, "depth", version, depth, pod)
            own(past, "oops_total", version, oops, pod)
    most = 100 if "depth" in value else 1.2
    limits = {"trouble": {"value": value, "most": most}}
    assert judged(past, limits=limits).reason is Reason.COMMON_MODE


def test_a_recorded_rate_looks_back_as_its_name_says(past: History) -> None:
    serve(past)
    for version in ("1.0", "1.1"):
        rate = always(10)
        if version == "1.1":
            rate[:80], rate[80:] = np.nan, np.minimum(np.arange(20) / 2, 10)
        own(past, "app:orders:rate5m", version, rate)
    for least, reason in ((5, Reason.NON_INFERIOR), (20, Reason.COMMON_MODE)):
        limits = {"orders": {"value": "app:orders:rate5m", "least": least}}
        assert judged(past, limits=limits).reason is reason


def test_two_metrics_with_the_same_labels_are_two(past: History) -> None:
    """A pod's second counter is away, and the difference of both is no queue."""
    serve(past)
    for version in ("1.0", "1.1"):
        for pod in "ab":
            made, done = counter(always(60)), counter(always(60))
            if (version, pod) == ("1.1", "b"):
                done[60:] = np.nan
            own(past, "made_total", version, made, pod)
            own(past, "done_total", version, done, pod)
    difference = "sum(rate(made_total[2m])) - sum(rate(done_total[2m]))"
    limits = {"queue": {"value": difference, "most": 1}}
    assert judged(past, limits=limits).reason is Reason.GATHERING


@pytest.mark.parametrize("reached", [True, False])
def test_a_caller_that_is_not_scraped_has_not_stopped_calling(past: History, reached: bool) -> None:
    """Istio's counts are those of the callers' proxies, whose targets carry no label of the arm."""
    for gateway in "ab":
        away = slice(60, None) if gateway == "b" else slice(0)
        target = {"job": "gateways", "instance": f"{past.namespace}-{gateway}"}
        up = always(1)
        up[away] = 1 if reached else 0
        past.add("up", up, **target)
        for version, rate in (("1.0", 1350), ("1.1", 150)):
            calls = counter(always(rate / 2))
            calls[away] = np.nan
            labels = {**istio(past.namespace, version), **target}
            past.add("istio_requests_total", calls, **labels, response_code="200")
    limits = {"calls": {"value": "sum(rate(istio_requests_total[5m]))", "least": 8}}
    judgement = judged(past, limits=limits)
    assert judgement.reason is Reason.GATHERING
    assert ("(up is 0)" in judgement.why) is not reached


@pytest.mark.parametrize("last", [38, 42])
def test_a_stable_that_nobody_scrapes_since_before_the_release_may_suffer_the_same(
    past: History, last: int
) -> None:
    released(past, 40)
    for version in ("1.0", "1.1"):
        consumers, up = from_then_on(60, 2, before=20), always(1)
        if version == "1.1":
            consumers[:40] = up[:40] = np.nan
        else:
            consumers[last:], up[last:] = np.nan, 0
        own(past, "consumers", version, consumers)
        own(past, "up", version, up)
    limits = {"consumers": {"value": "sum(consumers)", "least": 15}}
    assert judged(past, limits=limits).reason is Reason.GATHERING


def test_the_least_of_a_stable_with_a_hole_is_not_known(past: History) -> None:
    """The pod with the least is the one that is not scraped."""
    serve(past)
    for version in ("1.0", "1.1"):
        for pod in "ab":
            free, up = always(10 if pod == "b" else 100), always(1)
            if (version, pod) == ("1.0", "b"):
                free[50:], up[50:] = np.nan, 0
            own(past, "pool_free", version, free, pod)
            own(past, "up", version, up, pod)
    limits = {"pool": {"value": "pool_free", "least": 50}}
    assert judged(past, limits=limits).reason is Reason.GATHERING


def test_a_rate_around_a_hole_is_not_twice_as_high(past: History) -> None:
    """rate() goes on around the only two samples as it was between them."""
    released(past, 40)
    for version in ("1.0", "1.1"):
        oops = counter(np.where((np.arange(INTERVALS) == 57) & (version == "1.1"), 20.0, 0), 1000)
        up = always(1)
        if version == "1.1":
            oops[:40] = up[:40] = np.nan
            for hole in (slice(42, 56), slice(58, 77)):
                oops[hole], up[hole] = np.nan, 0
        own(past, "oops_total", version, oops)
        own(past, "up", version, up)
    limits = {"oops": {"value": "sum(rate(oops_total[5m]))", "most": 0.1}}
    assert judged(past, limits=limits).reason is Reason.NON_INFERIOR


def test_a_sum_without_what_is_negative_in_it_is_not_larger(past: History) -> None:
    serve(past)
    for version in ("1.0", "1.1"):
        for pod, drift in (("a", 12), ("b", -8)):
            values, up = always(drift), always(1)
            if (version, pod) == ("1.1", "b"):
                values[70:80], up[70:80] = np.nan, 0
            own(past, "drift", version, values, pod)
            own(past, "up", version, up, pod)
    limits = {"drift": {"value": "sum(drift)", "most": 10}}
    assert judged(past, limits=limits).reason is Reason.NON_INFERIOR


def test_a_rate_of_errors_that_have_just_come_fails(past: History) -> None:
    """Their series is born with them: a rate is the lower for it, and needs no time to fill."""
    serve(past)
    for version in ("1.0", "1.1"):
        own(past, "up", version, always(1))
        own(past, "oops_total", version, counter(always(0)), "a")
    own(past, "oops_total", "1.1", counter(from_then_on(88, 300), born=True), "b")
    limits = {"oops": {"value": "sum(rate(oops_total[5m]))", "most": 2}}
    assert judged(past, limits=limits).reason is Reason.LIMIT_EXCEEDED


@pytest.mark.parametrize("lasting", ["0s", "15s", "30s"])
@pytest.mark.parametrize(("seen", "fails"), [(1, False), (3, True)])
def test_one_sample_fails_no_release_however_short_the_time(
    past: History, lasting: str, seen: int, fails: bool
) -> None:
    """It is one of now for two scrapes, in which the canary looks beyond its bound."""
    serve(past)
    own(past, "depth", "1.0", always(1))
    depth = always(1)
    depth[60 : 60 + seen], depth[60 + seen : 66] = 50, np.nan
    own(past, "depth", "1.1", depth)
    limits = {"queue": {"value": "depth", "most": 10, "for": lasting}}
    assert (judged(past, limits=limits).reason is Reason.LIMIT_EXCEEDED) is fails


@pytest.mark.parametrize("of", ["1.1", "1.0"])
@pytest.mark.parametrize(("lookback", "every"), [("12h", 4), ("2d", 16)])
def test_a_moment_that_comes_again_whenever_a_long_interval_ends_does_not_last(
    past: History, lookback: str, every: int, of: str
) -> None:
    """It is beyond, or of a stable that is beyond as well: within, for one scrape of so many."""
    serve(past)
    at_ends = (BEGIN // STEP + np.arange(INTERVALS)) % every == 0
    for version in ("1.0", "1.1"):
        depth = always(1 if of == "1.1" else 50)
        if version == of:
            depth[at_ends] = 50 if of == "1.1" else 1
        own(past, "depth", version, depth)
    slo = {**OPEN, "limits": {"queue": {"value": "depth", "most": 10, "for": "1m"}}}
    question = past.question(slo, policy={"lookback": lookback})
    assert past.judgement(question).reason is not Reason.LIMIT_EXCEEDED


@pytest.mark.parametrize(("lookback", "first"), [("12h", 80), ("2d", 50)])
@pytest.mark.parametrize("bound", ["most", "least"])
def test_what_lasts_fails_a_long_release_too(
    past: History, lookback: str, first: int, bound: str
) -> None:
    serve(past)
    own(past, "depth", "1.0", always(10))
    own(past, "depth", "1.1", from_then_on(first, 50 if bound == "most" else 1, before=10))
    for version in ("1.0", "1.1"):
        own(past, "up", version, always(1))
    slo = {**OPEN, "limits": {"queue": {"value": "depth", bound: 10, "for": "1m"}}}
    question = past.question(slo, policy={"lookback": lookback})
    assert past.judgement(question).reason is Reason.LIMIT_EXCEEDED
