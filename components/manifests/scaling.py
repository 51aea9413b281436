"""How many pods there are, and how many may go at once."""

from components import conventions
from components.manifests.manifest import Body, Manifest, body, metadata
from components.spec.service import ServiceSpec

_CPU_PERCENT = 70  # of the request: room for the minute a new pod needs to come up


def autoscaler(spec: ServiceSpec, target: Body) -> list[Manifest]:
    """An autoscaler for `target` ({apiVersion, kind}), or nothing when the count is fixed."""
    if not spec.replicas.autoscaled:
        return []
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": _CPU_PERCENT}}
    scaler = body(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        metadata(spec.name, spec.namespace, spec.name),
        spec={
            "scaleTargetRef": {**target, "name": spec.name},
            "minReplicas": spec.replicas.min,
            "maxReplicas": spec.replicas.max,
            "metrics": [{"type": "Resource", "resource": cpu}],
        },
    )
    return [Manifest(scaler, wave=1)]


def disruption_budget(name: str, namespace: str, app: str) -> Manifest:
    """Node maintenance takes at most a quarter of the pods labelled `app` at a time."""
    return Manifest(
        body(
            "policy/v1",
            "PodDisruptionBudget",
            metadata(name, namespace, name),
            spec={
                "maxUnavailable": "25%",
                "selector": {"matchLabels": {conventions.APP: app}},
            },
        )
    )
