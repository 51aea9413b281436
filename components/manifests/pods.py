"""What every pod of Sluice has: least privilege, probes, spreading, and time to say goodbye."""

from typing import Any

from components import conventions
from components.manifests.manifest import Body, Manifest, body, metadata

DEPLOYMENT: Body = {"apiVersion": "apps/v1", "kind": "Deployment"}

DRAIN_SECONDS = 5  # endpoints and proxies need a moment to hear that a pod is leaving
GRACE_SECONDS = 30

_NO_PRIVILEGES: Body = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def container(
    name: str, image: str, port: int, env: dict[str, str], requests: dict[str, str]
) -> Body:
    """One container with no privileges; its memory request is also its limit."""
    return {
        "name": name,
        "image": image,
        "ports": [{"name": conventions.PORT_NAME, "containerPort": port, "protocol": "TCP"}],
        "env": [{"name": key, "value": value} for key, value in sorted(env.items())],
        "resources": {"requests": requests, "limits": {"memory": requests["memory"]}},
        "lifecycle": {"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}},
        "securityContext": _NO_PRIVILEGES,
        # The root file system is read-only; this is the one place to write to.
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
    }


def scraped(port: int) -> Body:
    """Annotations by which Prometheus finds the pod's own metrics, under /metrics on this port.

    Istio's sidecar reads them as well, and adds its metrics to the pod's.
    """
    return {conventions.SCRAPE: "true", conventions.SCRAPE_PORT: str(port)}


def probes(liveness: str, readiness: str) -> Body:
    """HTTP probes: a minute to start, then out of traffic after 10 s, restarted after 30 s."""
    return {
        "startupProbe": _probe(readiness, period=1, failures=60),
        "readinessProbe": _probe(readiness, period=5, failures=2),
        "livenessProbe": _probe(liveness, period=10, failures=3),
    }


def pod(name: str, container: Body) -> Body:
    """Run one container under the service account `name`, spread over zones and nodes."""
    return {
        "serviceAccountName": name,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "topologySpreadConstraints": [
            _spread(name, "topology.kubernetes.io/zone"),
            _spread(name, "kubernetes.io/hostname"),
        ],
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }


def selector(name: str) -> Body:
    """What a workload selects its pods by. Flagger renames this label for its stable copy."""
    return {"matchLabels": {conventions.APP: name}}


def deployment(
    name: str, namespace: str, template: Body, *, controlled: tuple[str, ...] = (), **fields: Any
) -> Manifest:
    """A Deployment that never has fewer pods than asked for; `fields` add to its spec."""
    rolling = {"maxSurge": "25%", "maxUnavailable": 0}
    spec = fields | {
        "selector": selector(name),
        "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
        "template": template,
    }
    meta = metadata(name, namespace, name)
    return Manifest(DEPLOYMENT | {"metadata": meta, "spec": spec}, 1, controlled)


def service_account(
    name: str, namespace: str, annotations: dict[str, str] | None = None
) -> Manifest:
    """The pods' identity. It carries no token: no pod here has business with the API server."""
    meta = metadata(name, namespace, name, annotations)
    return Manifest(body("v1", "ServiceAccount", meta, automountServiceAccountToken=False))


def _probe(path: str, period: int, failures: int) -> Body:
    return {
        "httpGet": {"path": path, "port": conventions.PORT_NAME},
        "periodSeconds": period,
        "timeoutSeconds": 2,
        "failureThreshold": failures,
    }


def _spread(name: str, topology: str) -> Body:
    return {
        "maxSkew": 1,
        "topologyKey": topology,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {conventions.APP_NAME: name}},
    }
