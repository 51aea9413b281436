"""From pods and Envoy's reports to the labels of Istio's standard metrics.

Contract: istio.io, "Istio Standard Metrics"; workload names as Istio derives them from a
pod's controller.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.mesh.accesslog import Request

UNKNOWN = "unknown"

LABELS = (
    "reporter",
    "source_workload",
    "source_workload_namespace",
    "source_app",
    "source_version",
    "destination_workload",
    "destination_workload_namespace",
    "destination_app",
    "destination_version",
    "destination_canonical_service",
    "destination_canonical_revision",
    "destination_service",
    "destination_service_name",
    "destination_service_namespace",
    "request_protocol",
    "response_code",
    "response_flags",
    "connection_security_policy",
)


@dataclass(frozen=True)
class Workload:
    """Who sends or answers a request, as Istio names it."""

    name: str = UNKNOWN
    namespace: str = UNKNOWN
    app: str = UNKNOWN
    version: str = UNKNOWN
    canonical_service: str = UNKNOWN
    canonical_revision: str = "latest"


NOBODY = Workload()


@dataclass(frozen=True)
class Service:
    """The service a request was for."""

    host: str = UNKNOWN
    name: str = UNKNOWN
    namespace: str = UNKNOWN


def workload(pod: Mapping[str, Any]) -> Workload:
    """The workload a pod (its Kubernetes object) belongs to."""
    metadata = pod["metadata"]
    labels = metadata.get("labels", {})
    name = labels.get("service.istio.io/workload-name") or _controller(metadata, labels)
    app = labels.get("app", UNKNOWN)
    version = labels.get("version", UNKNOWN)
    return Workload(
        name=name,
        namespace=metadata["namespace"],
        app=app,
        version=version,
        canonical_service=_first(
            labels, name, "service.istio.io/canonical-name", "app.kubernetes.io/name", "app"
        ),
        canonical_revision=_first(
            labels,
            "latest",
            "service.istio.io/canonical-revision",
            "app.kubernetes.io/version",
            "version",
        ),
    )


def service(cluster: str) -> Service:
    """The service of an Envoy cluster that istiod named `outbound|PORT|SUBSET|HOST`.

    Another cluster (BlackHoleCluster) names itself, as in Istio.
    """
    if not cluster:
        return Service()
    parts = cluster.split("|")
    if len(parts) != 4:
        return Service(host=cluster, name=cluster)
    host = parts[3]
    name, _, rest = host.partition(".")
    namespace, _, suffix = rest.partition(".")
    if suffix.startswith("svc."):
        return Service(host, name, namespace)
    return Service(host=host, name=host)


def labels(reporter: str, source: Workload, destination: Workload, request: Request) -> list[str]:
    """The values of LABELS for one request, in that order. `reporter` is "source" for the
    caller's proxy or "destination" for the one in front of the pod.
    """
    target = service(request.cluster)
    return [
        reporter,
        source.name,
        source.namespace,
        source.app,
        source.version,
        destination.name,
        destination.namespace,
        destination.app,
        destination.version,
        destination.canonical_service,
        destination.canonical_revision,
        target.host,
        target.name,
        target.namespace,
        "http",
        str(request.code),
        request.flags,
        # Istio: only the destination's proxy knows; without mutual TLS it says none.
        "none" if reporter == "destination" else UNKNOWN,
    ]


def _controller(metadata: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """The controller's name: for a ReplicaSet made by a Deployment or a Rollout, theirs (its
    name without the hash of the pod template); without a controller the pod's own.
    """
    for owner in metadata.get("ownerReferences", []):
        if not owner.get("controller"):
            continue
        name = owner["name"]
        if owner["kind"] == "ReplicaSet":
            for key in ("pod-template-hash", "rollouts-pod-template-hash"):
                if labels.get(key):
                    name = name.removesuffix(f"-{labels[key]}")
        return name
    return metadata["name"]


def _first(labels: Mapping[str, str], default: str, *keys: str) -> str:
    return next((labels[key] for key in keys if labels.get(key)), default)
