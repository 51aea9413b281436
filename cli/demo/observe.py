"""What a Rollout or a Canary says of its release: plain objects in, one `Snapshot` out. Pure."""

import json
from dataclasses import dataclass
from typing import Any

from cli.demo.story import ABORTED, HELD, PROMOTED

Object = dict[str, Any]
Conditions = list[Object]


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


def canary(found: Object, before: Conditions | None) -> Snapshot:
    """A Flagger Canary. `before` are its conditions when the release was declared: until they
    change, its phase is that of the release before. (Not so the specification it has last applied:
    after a failure Flagger takes up the new one first, and leaves the phase Failed a while later.)
    """
    status = found.get("status", {})
    phase = status.get("phase", "Unknown")
    if conditions(found) == before:
        return Snapshot("Observing", 0, None)
    outcome = {"Succeeded": PROMOTED, "Initialized": PROMOTED, "Failed": ABORTED}.get(phase)
    return Snapshot(
        phase, int(status.get("canaryWeight", 0)), outcome, conditions(found)[0].get("message", "")
    )


def conditions(found: Object) -> Conditions:
    """A Canary's conditions. Each says when its status last changed."""
    return found.get("status", {}).get("conditions") or [{}]


def rollout_question(analysis_run: Object) -> Object:
    """The question an AnalysisRun asks the judge, with its arguments put in."""
    metric = analysis_run["spec"]["metrics"][0]
    text = json.dumps(metric["provider"]["web"]["jsonBody"])
    for argument in analysis_run["spec"].get("args", []):
        if "value" in argument:  # the judge's token is a Secret's, and no part of the question
            text = text.replace(f"{{{{args.{argument['name']}}}}}", argument["value"])
    return json.loads(text)


def canary_question(found: Object) -> Object:
    """The question a Canary's hooks ask the judge about the stage it is in.

    The hooks do not tell the weight. Without it the evidence of all stages would count for the
    present one, and a stage seem to have passed that is still held. At weight 0 there is none.
    """
    hooks = found["spec"]["analysis"]["webhooks"]
    question = json.loads(next(hook["metadata"]["request"] for hook in hooks if "metadata" in hook))
    weight = int(found.get("status", {}).get("canaryWeight", 0))
    return question | {"stage": {"weight": weight}} if weight else question
