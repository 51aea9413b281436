"""Every name, label and annotation Sluice puts into a cluster, defined once."""

PROJECT = "sluice"

# Namespaces. The controllers' are those of their own charts.
PLATFORM_NAMESPACE = "sluice-system"
MESH_NAMESPACE = "istio-system"
ARGO_NAMESPACE = "argo-rollouts"
FLAGGER_NAMESPACE = "flagger-system"
MONITORING_NAMESPACE = "monitoring"
NAMESPACE_LABEL = "kubernetes.io/metadata.name"

# The judge and its endpoints.
JUDGE = "judge"
JUDGE_URL = f"http://{JUDGE}.{PLATFORM_NAMESPACE}.svc"
VERDICT_PATH = "/v1/verdict"
TOKEN_KEY = "token"  # noqa: S105 - the key of a Secret
FLAGGER_PATH = "/v1/flagger"

# Ports: containers listen high because they run without privileges, Services answer on 80.
CONTAINER_PORT = 8080
SERVICE_PORT = 80
PORT_NAME = "http"

# Labels. APP selects the pods (and Flagger rewrites it to NAME-primary for its stable copy);
# APP_NAME stays the same on both copies; Istio reports VERSION as `destination_version`.
APP = "app"
APP_NAME = "app.kubernetes.io/name"
VERSION = "version"
MANAGED_BY = "app.kubernetes.io/managed-by"
MESH_INJECTION = "istio-injection"
POD_SECURITY = "pod-security.kubernetes.io"

# Pulumi would otherwise wait for endpoints that a controller takes away in the middle of a rollout.
SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}

# The traffic route whose weights Argo Rollouts owns, and the name of both controllers' check.
ROUTE = "release"
CHECK = "slo"

MESH_GATEWAY = "mesh"  # Istio's name for "every sidecar"


def labels(name: str) -> dict[str, str]:
    """Labels of every object that belongs to `name`."""
    return {APP: name, APP_NAME: name, MANAGED_BY: PROJECT}


def canary(name: str) -> str:
    """The Service that reaches only the new version's pods."""
    return f"{name}-canary"


def primary(name: str) -> str:
    """The stable copy that Flagger makes of a workload, and its `app` label."""
    return f"{name}-primary"


def analysis_template(name: str) -> str:
    """The AnalysisTemplate that asks the judge about `name`."""
    return f"{name}-{CHECK}"


SCRAPE, SCRAPE_PORT = "prometheus.io/scrape", "prometheus.io/port"
"""Annotations by which a Prometheus finds the pods to scrape."""
