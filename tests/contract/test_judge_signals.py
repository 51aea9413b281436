"""Saturation and the health of pods against a real Prometheus."""

import numpy as np
import pytest

from plugin.verdict import Reason
from tests.contract.support.good import OPEN, judged, released, serve, signal
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
from tests.contract.support.series import application

CANARY, STABLE = "checkout-canary-1", "checkout-stable-1"


def label_pods(past: History) -> None:
    """As kube-state-metrics shows them; a pod of another service stands by."""
    for pod, app, version in (
        (CANARY, "checkout", "1.1"),
        (STABLE, "checkout", "1.0"),
        ("checkout-worker-1", "checkout-worker", "1.1"),
    ):
        names = {"namespace": past.namespace, "pod": pod}
        past.add(
            "kube_pod_labels", always(1), **names, label_app=app, label_version=version, uid=pod
        )


def state(past: History, what: str, pod: str, values: Array, **more: str) -> None:
    past.add(
        f"kube_pod_container_status_{what}",
        values,
        namespace=past.namespace,
        pod=pod,
        container="app",
        **more,
    )


def measure(past: History, what: str, pod: str, values: Array) -> None:
    """A container's metric of cAdvisor, beside its pod's and its network's."""
    names = {"namespace": past.namespace, "pod": pod}
    past.add(f"container_{what}", values, **names, container="app", id="/a", node="n")
    past.add(f"container_{what}", values * 5, **names, container="", id="/")
    past.add(f"container_{what}", values * 5, **names, container="POD", id="/p")


def throttle(past: History, pod: str, share: float) -> None:
    measure(past, "cpu_cfs_periods_total", pod, counter(always(150)))
    measure(past, "cpu_cfs_throttled_periods_total", pod, counter(always(150 * share)))


def fill(past: History, pod: str, used: float | Array, limit: float | None) -> None:
    measure(past, "memory_working_set_bytes", pod, used * always(1))
    if limit is not None:
        past.add(
            "kube_pod_container_resource_limits",
            always(limit),
            namespace=past.namespace,
            pod=pod,
            container="app",
            resource="memory",
            unit="byte",
        )


@pytest.mark.parametrize("labelled", ["by kube-state-metrics", "by the scrape targets"])
def test_a_throttled_canary_fails_and_its_share_is_known(past: History, labelled: str) -> None:
    serve(past)
    if labelled == "by kube-state-metrics":
        label_pods(past)
    else:
        for pod, version in ((CANARY, "1.1"), (STABLE, "1.0")):
            names = application(past.namespace, version)
            past.add("up", always(1), **names, pod=pod)
    for pod, share in ((CANARY, 0.4), (STABLE, 0.1), ("checkout-worker-1", 1.0)):
        throttle(past, pod, share)
        fill(past, pod, 10, None)
    judgement = judged(past, saturation={"cpu_throttled": 25})
    assert judgement.reason is Reason.LIMIT_EXCEEDED
    assert "40 %" in judgement.why
    cpu = signal(judgement, "cpu_throttled")
    assert (cpu.canary, cpu.stable) == (pytest.approx(0.4), pytest.approx(0.1))


def test_memory_near_its_limit_fails(past: History) -> None:
    serve(past)
    label_pods(past)
    fill(past, CANARY, used=95, limit=100)
    fill(past, STABLE, used=50, limit=100)
    judgement = judged(past, saturation={"memory": 90})
    assert judgement.reason is Reason.LIMIT_EXCEEDED
    assert signal(judgement, "memory").canary == 0.95


def test_the_limit_may_be_cadvisors_own(past: History) -> None:
    serve(past)
    label_pods(past)
    for pod in (CANARY, STABLE):
        fill(past, pod, used=60, limit=None)
        measure(past, "spec_memory_limit_bytes", pod, always(80))
    assert signal(judged(past, saturation={"memory": 90}), "memory").canary == 0.75


def test_containers_without_limits_are_never_saturated(past: History) -> None:
    serve(past)
    label_pods(past)
    for pod in (CANARY, STABLE):
        fill(past, pod, used=1e12, limit=None)
        measure(past, "spec_memory_limit_bytes", pod, always(0))
    judgement = judged(past, saturation={"memory": 90, "cpu_throttled": 25})
    assert judgement.reason is Reason.NON_INFERIOR
    assert (signal(judgement, "memory").canary, signal(judgement, "cpu_throttled").canary) == (0, 0)


def test_a_limit_that_nobody_tells_any_more_is_not_none(past: History) -> None:
    """kube-state-metrics is gone, and the canary near its limit."""
    serve(past)
    for pod, version, used in ((CANARY, "1.1", from_then_on(86, 98, 50)), (STABLE, "1.0", 50)):
        past.add("up", always(1), **application(past.namespace, version), pod=pod)
        measure(past, "memory_working_set_bytes", pod, used * always(1))
        names = {"namespace": past.namespace, "pod": pod, "container": "app"}
        told = from_then_on(90, np.nan, before=100)
        past.add("kube_pod_container_resource_limits", told, **names, resource="memory")
        state(past, "restarts_total", pod, told * 0)
    judgement = judged(past, saturation={"memory": 90})
    assert judgement.reason is Reason.NO_DATA
    assert "memory of the canary's pods is not known" in judgement.why


def test_one_pod_whose_limit_is_not_known_may_be_the_fullest(past: History) -> None:
    serve(past)
    for pod, version in ((CANARY, "1.1"), ("checkout-canary-2", "1.1"), (STABLE, "1.0")):
        past.add("up", always(1), **application(past.namespace, version), pod=pod)
        fill(past, pod, used=50, limit=None if pod == CANARY else 100)
    assert judged(past, saturation={"memory": 90}).reason is Reason.NO_DATA


@pytest.mark.parametrize("last", [0, 30, 42])
def test_a_stable_that_cadvisor_does_not_show_may_be_full_as_well(past: History, last: int) -> None:
    released(past, 40)
    label_pods(past)
    for pod in (CANARY, STABLE):
        used = from_then_on(60, 98, before=50)
        used[last if pod == STABLE else INTERVALS :] = np.nan
        fill(past, pod, used, limit=100)
    assert judged(past, saturation={"memory": 90}).reason is Reason.GATHERING


@pytest.mark.parametrize(("lookback", "every"), [("12h", 4), ("2d", 16)])
@pytest.mark.parametrize("lasts", [False, True])
def test_memory_that_is_full_whenever_a_long_interval_ends_is_not_so_all_the_time(
    past: History, lookback: str, every: int, lasts: bool
) -> None:
    serve(past)
    alive(past)
    ends = (BEGIN // STEP + np.arange(INTERVALS)) % every == 0
    fill(past, CANARY, np.where(ends | lasts, 98.0, 50), limit=100)
    fill(past, STABLE, 50, limit=100)
    question = past.question({**OPEN, "saturation": {"memory": 90}}, policy={"lookback": lookback})
    assert (past.judgement(question).reason is Reason.LIMIT_EXCEEDED) is lasts


def test_a_container_that_kube_state_metrics_knows_without_a_limit_has_none(past: History) -> None:
    serve(past)
    alive(past)
    for pod in (CANARY, STABLE):
        fill(past, pod, used=1e12, limit=None)
    judgement = judged(past, saturation={"memory": 90})
    assert judgement.reason is Reason.NON_INFERIOR
    assert signal(judgement, "memory").canary == 0


def test_saturation_that_nobody_measures_promotes_nothing(past: History) -> None:
    serve(past)
    assert judged(past, saturation={"memory": 90}).reason is Reason.NO_DATA


def alive(past: History) -> None:
    label_pods(past)
    for pod in (CANARY, STABLE):
        state(past, "restarts_total", pod, always(0))


@pytest.mark.parametrize("traffic", [True, False])
@pytest.mark.parametrize("again", [True, False], ids=["started again", "dead"])
def test_a_canary_that_ran_out_of_memory_fails_at_once(
    past: History, traffic: bool, again: bool
) -> None:
    if traffic:
        serve(past)
    label_pods(past)
    killed = from_then_on(INTERVALS - 2, 1, before=np.nan)
    state(past, "restarts_total", CANARY, from_then_on(INTERVALS - 2, again))
    reason = "last_terminated_reason" if again else "terminated_reason"
    state(past, reason, CANARY, killed, reason="OOMKilled")
    judgement = judged(past)
    assert judgement.reason is Reason.OOM_KILLED
    assert judgement.why == "1 container of the canary is killed for want of memory"


def test_a_crash_loop_fails_at_once(past: History) -> None:
    alive(past)
    state(past, "waiting_reason", CANARY, from_then_on(98, 1), reason="CrashLoopBackOff")
    assert judged(past).reason is Reason.CRASH_LOOP


@pytest.mark.parametrize(("restarts", "fails"), [(2, False), (3, True)])
def test_more_restarts_than_tolerated_fail(past: History, restarts: int, fails: bool) -> None:
    serve(past)
    label_pods(past)
    state(past, "restarts_total", CANARY, from_then_on(90, restarts))
    judgement = judged(past)
    assert (judgement.reason is Reason.RESTARTS) is fails
    assert signal(judgement, "restarts").canary == restarts


def test_stable_in_the_same_trouble_holds_the_release(past: History) -> None:
    serve(past)
    alive(past)
    for pod in (CANARY, STABLE):
        state(past, "waiting_reason", pod, always(1), reason="CrashLoopBackOff")
    assert judged(past).reason is Reason.COMMON_MODE


@pytest.mark.parametrize(("restarted", "reason"), [(20, "oom_killed"), (95, "common_mode")])
def test_what_happened_to_stable_long_ago_is_no_incident(
    past: History, restarted: int, reason: str
) -> None:
    """A pod shows its containers' last end for as long as it lives."""
    serve(past)
    label_pods(past)
    state(past, "restarts_total", CANARY, from_then_on(95, 1))
    state(past, "restarts_total", STABLE, from_then_on(restarted, 1))
    for pod in (CANARY, STABLE):
        state(past, "last_terminated_reason", pod, always(1), reason="OOMKilled")
    assert judged(past).reason.value == reason


def test_pods_of_an_earlier_attempt_say_nothing_of_this_one(past: History) -> None:
    serve(past)
    alive(past)
    gone = np.where(np.arange(INTERVALS) < 60, 1.0, np.nan)
    names = {"namespace": past.namespace, "label_app": "checkout", "label_version": "1.1"}
    past.add("kube_pod_labels", gone, **names, pod="checkout-canary-0")
    state(past, "last_terminated_reason", "checkout-canary-0", gone, reason="OOMKilled")
    state(past, "restarts_total", "checkout-canary-0", gone * 9)
    assert judged(past).reason is Reason.NON_INFERIOR


def test_a_pod_that_is_over_is_none_of_the_canarys(past: History) -> None:
    """An evicted pod stays in the list until Kubernetes cleans it up."""
    serve(past)
    alive(past)
    names = {"namespace": past.namespace, "pod": "checkout-canary-0"}
    labelled = {"label_app": "checkout", "label_version": "1.1"}
    past.add("kube_pod_labels", always(1), **names, **labelled)
    past.add("kube_pod_status_phase", always(1), **names, phase="Failed")
    past.add("kube_pod_status_phase", always(0), **names, phase="Running")
    state(past, "restarts_total", names["pod"], always(9))
    state(past, "terminated_reason", names["pod"], always(1), reason="OOMKilled")
    assert judged(past).reason is Reason.NON_INFERIOR


def test_a_pod_that_is_being_deleted_is_none_of_the_canarys(past: History) -> None:
    """A retry must not fail for what killed the attempt before it, whose pods still end."""
    serve(past)
    alive(past)
    names = {"namespace": past.namespace, "pod": "checkout-canary-0"}
    labelled = {"label_app": "checkout", "label_version": "1.1"}
    past.add("kube_pod_labels", always(1), **names, **labelled)
    past.add("kube_pod_deletion_timestamp", from_then_on(90, 1e9, np.nan), **names)
    state(past, "restarts_total", names["pod"], always(9))
    state(past, "last_terminated_reason", names["pod"], always(1), reason="OOMKilled")
    assert judged(past).reason is Reason.NON_INFERIOR


def test_pods_that_nobody_watches_are_no_fault(past: History) -> None:
    serve(past)
    judgement = judged(past)
    assert judgement.reason is Reason.NON_INFERIOR
    assert signal(judgement, "oom_killed").canary is None


def test_flaggers_stable_copy_is_told_apart_by_its_name(past: History) -> None:
    """Once promoted it carries the canary's version too."""
    names = {"namespace": past.namespace, "label_version": "1.1"}
    past.add("kube_pod_labels", always(1), **names, label_app="checkout", pod=CANARY)
    past.add(
        "kube_pod_labels",
        always(1),
        **names,
        label_app="checkout-primary",
        pod="checkout-primary-1",
    )
    for pod in (CANARY, "checkout-primary-1"):
        state(past, "restarts_total", pod, always(0))
    state(past, "waiting_reason", "checkout-primary-1", always(1), reason="CrashLoopBackOff")
    arms = {
        "canary": {"workload": "checkout", "version": "1.1"},
        "stable": {"workload": "checkout-primary"},
    }
    judgement = past.judgement(past.question(OPEN, arms=arms))
    assert (signal(judgement, "crash_loop").canary, signal(judgement, "crash_loop").stable) == (
        0,
        1,
    )


def kill(past: History, pod: str, *at: int, **more: str) -> None:
    """Its container runs out of memory and is started again, as it was once before."""
    restarts = np.searchsorted(at, np.arange(INTERVALS), side="right").astype(np.float64)
    state(past, "restarts_total", pod, restarts, **more)
    state(past, "last_terminated_reason", pod, restarts**0, **more, reason="OOMKilled")


@pytest.mark.parametrize(
    ("canary", "stable", "reason"),
    [
        pytest.param([50], [50], Reason.NON_INFERIOR, id="over"),
        pytest.param([50], [30], Reason.NON_INFERIOR, id="over; it had begun with stable"),
        pytest.param([75], [75], Reason.COMMON_MODE, id="just now"),
        pytest.param([40, 95], [40], Reason.OOM_KILLED, id="once more, and alone"),
        pytest.param([30], [75], Reason.OOM_KILLED, id="alone, and long before stable"),
    ],
)
def test_an_incident_that_both_arms_had_is_forgotten_when_it_is_over(
    past: History, canary: list[int], stable: list[int], reason: Reason
) -> None:
    """A container shows its last end for as long as its pod lives."""
    serve(past)
    label_pods(past)
    kill(past, CANARY, *canary)
    kill(past, STABLE, *stable)
    assert judged(past).reason is reason


def test_an_incident_stays_forgotten_when_it_is_longer_ago_than_is_asked_for(
    past: History,
) -> None:
    """The canary's containers show it, and what stable had at that time is not seen any more."""
    serve(past)
    label_pods(past)
    for pod in (CANARY, STABLE):
        kill(past, pod, 30, 31, 32)
    question = past.question(OPEN, policy={"lookback": "15m"})
    judgement = past.judgement(question)
    assert signal(judgement, "oom_killed").canary == 1
    assert judgement.reason is Reason.NON_INFERIOR


@pytest.mark.parametrize(
    ("canary", "stable", "reason"),
    [
        pytest.param(3, 3, Reason.NON_INFERIOR, id="as often as stable"),
        pytest.param(60, 60, Reason.COMMON_MODE, id="as often as stable, until now"),
        pytest.param(6, 3, Reason.RESTARTS, id="far more often"),
    ],
)
def test_what_stable_was_restarted_as_well_is_not_held_against_the_canary(
    past: History, canary: int, stable: int, reason: Reason
) -> None:
    serve(past)
    label_pods(past)
    for pod, times in ((CANARY, canary), (STABLE, stable)):
        state(past, "restarts_total", pod, counter(always(1)).clip(30, 30 + times) - 30)
    assert judged(past).reason is reason


def test_stable_has_not_restarted_less_because_kube_state_metrics_was_replaced(
    past: History,
) -> None:
    """Both were killed while nobody looked, and the new one knows only afterwards."""
    serve(past)
    label_pods(past)
    for pod in (CANARY, STABLE):
        names = {"namespace": past.namespace, "pod": pod, "container": "app"}
        for instance, restarts, seen in (("old", 0, slice(86)), ("new", 1, slice(90, None))):
            values = NEVER.copy()
            values[seen] = restarts
            past.add("kube_pod_container_status_restarts_total", values, **names, instance=instance)
        reason = from_then_on(90, 1, before=np.nan)
        state(past, "last_terminated_reason", pod, reason, reason="OOMKilled")
    assert judged(past).reason is Reason.COMMON_MODE


def test_a_crash_loop_that_stable_has_just_left_is_an_incident(past: History) -> None:
    """The next start waits longer in one arm than in the other."""
    serve(past)
    alive(past)
    for pod, until in ((CANARY, INTERVALS), (STABLE, 95)):
        waiting = np.where(np.arange(INTERVALS) < until, 1.0, np.nan)
        state(past, "waiting_reason", pod, waiting, reason="CrashLoopBackOff")
    assert judged(past).reason is Reason.COMMON_MODE
