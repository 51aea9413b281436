"""A canary by Flagger: what it owns, and how its webhooks ask the judge."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.manifests import flagger, workload
from components.manifests.manifest import Manifest
from components.spec.service import ServiceSpec, resolve
from components.spec.site import Site
from plugin.question import Question

MakeSpec = Callable[..., ServiceSpec]
Objects = Callable[..., dict[str, Manifest]]


@pytest.fixture
def objects(make_objects: Objects) -> dict[str, Manifest]:
    return make_objects(controller="flagger")


@pytest.fixture
def canary(objects: dict[str, Manifest]) -> dict[str, Any]:
    return objects["Canary/checkout"].body["spec"]


@pytest.fixture
def webhooks(canary: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {hook["type"]: hook for hook in canary["analysis"]["webhooks"]}


def test_flagger_makes_the_services_and_the_route_itself(objects: dict[str, Manifest]) -> None:
    """It overwrites any that are declared, and every `pulumi up` would fight it."""
    kinds = {manifest.kind for manifest in objects.values()}
    assert kinds == {
        "ServiceAccount",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "PrometheusRule",
        "Deployment",
        "Canary",
    }


def test_stages_become_step_weights(canary: dict[str, Any]) -> None:
    assert canary["analysis"]["stepWeights"] == [10, 30, 60]


def test_every_hook_asks_its_own_endpoint_of_the_judge(
    webhooks: dict[str, dict[str, Any]],
) -> None:
    assert {kind: hook["url"] for kind, hook in webhooks.items()} == {
        kind: f"http://judge.sluice-system.svc/v1/flagger/{kind}"
        for kind in (
            "confirm-rollout",
            "rollout",
            "rollback",
            "confirm-traffic-increase",
            "confirm-promotion",
            "event",
        )
    }


def test_every_hook_carries_a_question_the_judge_understands(
    make_spec: MakeSpec, webhooks: dict[str, dict[str, Any]]
) -> None:
    version = workload.version(make_spec())
    for hook in webhooks.values():
        question = Question.model_validate_json(hook["metadata"]["request"])
        assert question.arms.canary.workload == "checkout"
        assert question.arms.canary.version == version
        assert question.arms.stable.workload == "checkout-primary"
        # One text for all stages: the weight is Flagger's to tell, by its metrics.
        assert question.stage.weight is None
        assert [stage.weight for stage in question.stages] == [10, 30, 60]


def test_metadata_is_text_because_flagger_passes_nothing_else(
    webhooks: dict[str, dict[str, Any]],
) -> None:
    for hook in webhooks.values():
        assert set(hook["metadata"]) == {"request"}
        assert json.loads(hook["metadata"]["request"])["slo"]["availability"] == 99.0


def test_holding_a_stage_raises_no_alert_at_every_tick(
    webhooks: dict[str, dict[str, Any]],
) -> None:
    muted = {kind for kind, hook in webhooks.items() if hook["muteAlert"]}
    assert muted == {"confirm-traffic-increase"}


@given(interval=st.integers(1, 300))
def test_hooks_answer_within_a_tick_and_an_outage_of_a_day_is_forgiven(
    interval: int,
) -> None:
    site = Site.model_validate(
        {
            "controller": "flagger",
            "namespace": "shop",
            "domain": "local",
            "gateway": "istio-system/ingress",
            "analysisInterval": f"{interval}s",
            "stages": [{"weight": 10, "time": "5m"}],
        }
    )
    spec = resolve("checkout", {"image": "x:1", "slo": {"availability": 99.0}}, site)
    analysis = flagger.objects(spec)[-1].body["spec"]["analysis"]
    tick = int(analysis["interval"].removesuffix("s"))
    assert tick >= 10  # Flagger's floor; below it, it would silently take a minute
    for hook in analysis["webhooks"]:
        timeout = int(hook["timeout"].removesuffix("s"))
        assert timeout >= 1
        assert 3 * timeout < tick
        # The judge's reason is there before Flagger hangs up.
        question = Question.model_validate_json(hook["metadata"]["request"])
        assert question.answer_within.total_seconds() <= timeout - 0.5
    assert analysis["threshold"] * tick > 24 * 3600 - tick


def test_a_canary_that_crashes_loses_its_weight_within_two_minutes(
    canary: dict[str, Any],
) -> None:
    """Flagger asks no rollback hook while pods are not ready, so this deadline is the only one."""
    assert 60 <= canary["progressDeadlineSeconds"] <= 120


def test_deleting_the_canary_leaves_the_service_running(canary: dict[str, Any]) -> None:
    assert canary["revertOnDeletion"] is True


def test_flagger_is_told_what_to_route(canary: dict[str, Any]) -> None:
    assert canary["provider"] == "istio"
    assert canary["service"] == {
        "port": 80,
        "targetPort": 8080,
        "portName": "http",
        "gateways": ["istio-system/ingress", "mesh"],
        "hosts": ["checkout.local"],
    }


def test_the_selector_is_a_label_flagger_can_rename(objects: dict[str, Manifest]) -> None:
    deployment = objects["Deployment/checkout"].body["spec"]
    assert deployment["selector"] == {"matchLabels": {"app": "checkout"}}


def test_the_idle_target_is_left_at_zero(objects: dict[str, Manifest]) -> None:
    """The count is for the first pods and their stable copy; from then on it is Flagger's."""
    deployment = objects["Deployment/checkout"]
    assert deployment.body["spec"]["replicas"] == 2
    assert deployment.controlled == ("spec.replicas",)


def test_maintenance_spares_the_stable_copy(objects: dict[str, Manifest]) -> None:
    """A budget on the idle target would stop every node from being drained."""
    budget = objects["PodDisruptionBudget/checkout"].body["spec"]
    assert budget["selector"]["matchLabels"] == {"app": "checkout-primary"}


def test_the_network_policy_covers_both_copies(objects: dict[str, Manifest]) -> None:
    """Flagger renames `app` on the stable copy, and leaves this label as it is."""
    policy = objects["NetworkPolicy/checkout"].body["spec"]
    assert policy["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "checkout"}


def test_the_canary_comes_after_what_it_takes_over(make_objects: Objects) -> None:
    objects = make_objects(controller="flagger", replicas={"min": 2, "max": 6})
    last = objects.pop("Canary/checkout").wave
    assert all(manifest.wave < last for manifest in objects.values())


def test_an_autoscaler_is_handed_to_flagger(make_objects: Objects) -> None:
    objects = make_objects(controller="flagger", replicas={"min": 2, "max": 6})
    assert "replicas" not in objects["Deployment/checkout"].body["spec"]
    assert objects["Canary/checkout"].body["spec"]["autoscalerRef"] == {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "name": "checkout",
    }
    scaler = objects["HorizontalPodAutoscaler/checkout"].body["spec"]
    assert scaler["scaleTargetRef"]["kind"] == "Deployment"
