"""When an object counts as ready, as the real provider waits for it by default. Pure.

Each check returns None when ready, else what is missing, for people.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sandbox.pulumi.objects import Object

DEPLOYMENT = ("apps/v1", "Deployment")
SERVICE = ("v1", "Service")


def deployment(live: Object) -> str | None:
    """Rolled out: every replica is of the newest template and available."""
    status, wanted = live.get("status", {}), live["spec"].get("replicas", 1)
    if live["spec"].get("paused"):
        return None
    if status.get("observedGeneration", 0) < live["metadata"]["generation"]:
        return "the Deployment controller has not seen the change yet"
    progressing = _condition(live, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return progressing.get("message", "the rollout exceeded its progress deadline")
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated < wanted or available < wanted:
        return f"{min(updated, available)} of {wanted} replicas are updated and available"
    if status.get("replicas", 0) > updated:
        return f"{status['replicas'] - updated} replicas of the old template still run"
    return None


def service(live: Object, slices: Sequence[Object]) -> str | None:
    """Its selector finds pods and all of them are ready; a Service without a selector or
    without an address of its own (headless, ExternalName) needs none.
    """
    spec = live["spec"]
    if (
        not spec.get("selector")
        or spec.get("type") == "ExternalName"
        or spec.get("clusterIP") == "None"
    ):
        return None
    endpoints = [item for entry in slices for item in entry.get("endpoints") or []]
    ready = [item for item in endpoints if item.get("conditions", {}).get("ready")]
    if not ready:
        return "no ready pod matches the Service's spec.selector"
    if len(ready) < len(endpoints):
        return f"{len(endpoints) - len(ready)} of {len(endpoints)} pods behind it are not ready"
    if spec.get("type") == "LoadBalancer" and not live.get("status", {}).get(
        "loadBalancer", {}
    ).get("ingress"):
        return "no address was assigned to the load balancer"
    return None


def definition(live: Object) -> str | None:
    """A CustomResourceDefinition is established: its kind is served."""
    if _condition(live, "Established").get("status") == "True":
        return None
    return "its kind is not served yet"


CHECKED_ALONE: dict[tuple[str, str], Callable[[Object], str | None]] = {
    DEPLOYMENT: deployment,
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): definition,
}
"""Kinds whose readiness shows in the object itself."""


def pod_troubles(pods: Sequence[Object]) -> list[str]:
    """Why pods do not become ready: what each waiting container says, without repetition."""
    troubles: dict[str, None] = {}
    for pod in pods:
        for container in pod.get("status", {}).get("containerStatuses", []):
            waiting: dict[str, Any] = container.get("state", {}).get("waiting") or {}
            if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
                said = f": {waiting['message']}" if waiting.get("message") else ""
                troubles[f"container {container['name']}: {waiting['reason']}{said}"] = None
        unscheduled = _condition(pod, "PodScheduled")
        if unscheduled.get("status") == "False":
            troubles[f"not scheduled: {unscheduled.get('message', 'no reason given')}"] = None
    return list(troubles)


def _condition(live: Object, kind: str) -> dict[str, Any]:
    conditions = live.get("status", {}).get("conditions") or []
    return next((item for item in conditions if item["type"] == kind), {})
