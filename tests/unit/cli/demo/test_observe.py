"""What a Rollout's or a Canary's status means for its release."""

import json
from typing import Any

import pytest

from cli.demo import observe


def rollout(*, generation: Any = 2, **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"generation": generation},
        "status": {"observedGeneration": "2", "phase": "Progressing", **status},
    }


def weights(weight: int) -> dict[str, Any]:
    return {"canary": {"weights": {"canary": {"weight": weight}}}}


def canary(phase: str = "Progressing", **status: Any) -> dict[str, Any]:
    return {"status": {"phase": phase, "conditions": [{"reason": phase}], **status}}


def test_the_status_of_the_release_before_decides_nothing() -> None:
    """Right after `pulumi up` both controllers still report the last release as done."""
    healthy: dict[str, Any] = {"phase": "Healthy", "currentPodHash": "a", "stableRS": "a"}
    assert observe.rollout(rollout(generation=3, **healthy)).outcome is None
    succeeded = canary(phase="Succeeded")
    assert observe.canary(succeeded, before=observe.conditions(succeeded)).outcome is None


def test_a_failed_canary_that_takes_up_a_new_release_has_not_failed_again() -> None:
    """Flagger notes the new specification while the phase still says Failed."""
    failed = canary(phase="Failed", lastAppliedSpec="old")
    before = observe.conditions(failed)
    failed["status"]["lastAppliedSpec"] = "new"
    assert observe.canary(failed, before).outcome is None


def test_a_rollout_is_promoted_when_its_pods_are_the_stable_ones() -> None:
    done: dict[str, Any] = {"phase": "Healthy", "currentPodHash": "b", "stableRS": "b"}
    assert observe.rollout(rollout(**done)).outcome == "promoted"
    assert observe.rollout(rollout(**done | {"stableRS": "a"})).outcome is None


@pytest.mark.parametrize(("weight", "outcome"), [(20, None), (0, "aborted")])
def test_an_abort_is_done_when_the_weight_is_back(weight: int, outcome: str | None) -> None:
    snapshot = observe.rollout(rollout(abort=True, phase="Degraded", **weights(weight)))
    assert (snapshot.outcome, snapshot.weight) == (outcome, weight)


def test_a_stage_without_a_decision_is_held() -> None:
    paused = {"pauseConditions": [{"reason": "InconclusiveAnalysisRun"}], "phase": "Paused"}
    assert observe.rollout(rollout(**paused, **weights(50))).outcome == "held"
    between = {"pauseConditions": [{"reason": "CanaryPauseStep"}], "phase": "Paused"}
    assert observe.rollout(rollout(**between)).outcome is None


@pytest.mark.parametrize(
    ("phase", "outcome"),
    [
        ("Initialized", "promoted"),
        ("Succeeded", "promoted"),
        ("Failed", "aborted"),
        ("Progressing", None),
        ("Promoting", None),
    ],
)
def test_a_canarys_phase_is_its_outcome(phase: str, outcome: str | None) -> None:
    assert observe.canary(canary(phase=phase), before=[{"reason": "Before"}]).outcome == outcome


def test_an_analysis_runs_question_has_its_arguments_put_in() -> None:
    body = {"arms": {"canary": {"version": "{{args.version}}"}}, "stage": "{{args.weight}}"}
    run = {
        "spec": {
            "args": [
                {"name": "version", "value": "1.1-abc"},
                {"name": "weight", "value": "20"},
                {"name": "token", "valueFrom": {"secretKeyRef": {"name": "t", "key": "token"}}},
            ],
            "metrics": [{"provider": {"web": {"jsonBody": body}}}],
        }
    }
    question = observe.rollout_question(run)
    assert question == {"arms": {"canary": {"version": "1.1-abc"}}, "stage": "20"}


@pytest.mark.parametrize(("weight", "stage"), [(30, {"stage": {"weight": 30}}), (0, {})])
def test_a_canarys_question_is_about_its_stage(weight: int, stage: dict[str, Any]) -> None:
    """Weight 0 asks whether a release may begin, which is no verdict on one that has ended."""
    request = json.dumps({"service": "payments"})
    found = canary(canaryWeight=weight) | {
        "spec": {"analysis": {"webhooks": [{"metadata": {"request": request}}]}}
    }
    assert observe.canary_question(found) == {"service": "payments"} | stage
