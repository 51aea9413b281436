"""What a Rollout or a Canary says of its release: plain objects in, one `Snapshot` out. Pure."""

import json
from dataclasses import dataclass
from typing import Any

from cli.demo.story import ABORTED, HELD, PROMOTED

Object = dict[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """One look at a release. `outcome` is None while it goes on."""

    phase: str
    weight: int
    outcome: str | None
    message: str = ""


def rollout(found: Object) -> Snapshot:
    """An Argo Rollout. Its observed generation is a string, and until it equals the object's
    generation the status still speaks of the release before.
    """
    status = found.get("status", {})
    phase = status.get("phase", "Unknown")
    weights = status.get("canary", {}).get("weights", {})
    weight = int(weights.get("canary", {}).get("weight", 0))
    message = status.get("message", "")
    if status.get("observedGeneration") != str(found["metadata"]["generation"]):
        return Snapshot("Observing", weight, None)
    outcome = None
    if status.get("abort"):
        outcome = ABORTED if weight == 0 else None
    elif phase == "Healthy" and status.get("currentPodHash") == status.get("stableRS"):
        outcome = PROMOTED
    elif any(
        pause["reason"] == "InconclusiveAnalysisRun"
        for pause in status.get("pauseConditions") or []
    ):
        outcome = HELD
    return Snapshot(phase, weight, outcome, message)


def canary(found: Object, before: str | None) -> Snapshot:
    """A Flagger Canary. `before` is the hash of the specification it had last applied when the
    release was declared: until that changes, its phase is that of the release before.
    """
    status = found.get("status", {})
    phase = status.get("phase", "Unknown")
    if status.get("lastAppliedSpec") == before:
        return Snapshot("Observing", 0, None)
    conditions = status.get("conditions") or [{}]
    outcome = {"Succeeded": PROMOTED, "Initialized": PROMOTED, "Failed": ABORTED}.get(phase)
    return Snapshot(
        phase, int(status.get("canaryWeight", 0)), outcome, conditions[0].get("message", "")
    )


def rollout_question(analysis_run: Object) -> Object:
    """The question an AnalysisRun asks the judge, with its arguments put in."""
    metric = analysis_run["spec"]["metrics"][0]
    text = json.dumps(metric["provider"]["web"]["jsonBody"])
    for argument in analysis_run["spec"].get("args", []):
        text = text.replace(f"{{{{args.{argument['name']}}}}}", argument["value"])
    return json.loads(text)


def canary_question(found: Object) -> Object:
    """The question a Canary's hooks ask the judge."""
    hooks = found["spec"]["analysis"]["webhooks"]
    return json.loads(next(hook["metadata"]["request"] for hook in hooks if "metadata" in hook))
