"""A plain rolling update: for what no judge watches."""

from components.manifests import pods, routing, scaling, workload
from components.manifests.manifest import Manifest
from components.spec.service import ServiceSpec

PROGRESS_SECONDS = 600


def objects(spec: ServiceSpec) -> list[Manifest]:
    """A Service, and a Deployment that adds pods before it takes old ones away."""
    return [
        routing.service(spec.name, spec.namespace),
        scaling.disruption_budget(spec.name, spec.namespace, spec.name),
        pods.deployment(
            spec.name,
            spec.namespace,
            workload.pod_template(spec),
            minReadySeconds=spec.settle,
            progressDeadlineSeconds=PROGRESS_SECONDS,
            revisionHistoryLimit=10,
            **workload.fixed_replicas(spec),
        ),
        *scaling.autoscaler(spec, pods.DEPLOYMENT),
    ]
