"""The platform of a stack whose controllers are there already: namespaces and the judge."""

from urllib.parse import urlsplit

from components import conventions
from components.manifests import access as proof
from components.manifests import network, pods, routing, scaling, secretfiles
from components.manifests.manifest import Manifest, body
from components.manifests.secretfiles import SecretFiles
from components.spec.access import NOBODY, PrometheusAccess
from plugin.indicators.schemes import Reporter

_REPLICAS = 2  # rollouts stand still without a judge, so one may go at any time
_REQUESTS = {"cpu": "100m", "memory": "192Mi"}
_DNS = 53


def namespaces(services: str) -> list[Manifest]:
    """The platform's namespace, and the one that services share with the mesh."""
    # For services only a warning: whether the mesh's own init container would pass depends on
    # how the mesh is installed.
    meshed = {conventions.MESH_INJECTION: "enabled"}
    return [
        _namespace(conventions.PLATFORM_NAMESPACE, _pod_security("enforce")),
        _namespace(services, meshed | _pod_security("warn")),
    ]


def judge(
    image: str,
    prometheus_url: str,
    scrape_interval: int,
    access: PrometheusAccess = NOBODY,
    *,
    token_secret: str | None = None,
    reporter: Reporter = "source",
) -> list[Manifest]:
    """The judge: a stateless Deployment behind a Service, with no right to do anything.

    `scrape_interval` is in seconds, and is that of the Prometheus at `prometheus_url`, which asks
    for `access`. `token_secret` names the Secret with the tokens that the judge itself asks for.
    `reporter` is the side of Istio's metrics that it reads.
    """
    name, namespace = conventions.JUDGE, conventions.PLATFORM_NAMESPACE
    files = [*proof.files(access), *_tokens(token_secret)]
    env = {
        "SLUICE_PROMETHEUS_URL": prometheus_url,
        "SLUICE_SCRAPE_INTERVAL": str(scrape_interval),
        "SLUICE_ISTIO_REPORTER": reporter,
    }
    env |= proof.environment(access) | secretfiles.environment(files)
    container = pods.container(name, image, conventions.CONTAINER_PORT, env, _REQUESTS)
    container |= pods.probes("/healthz", "/readyz")
    template = {
        "metadata": {
            "labels": conventions.labels(name),
            "annotations": pods.scraped(conventions.CONTAINER_PORT),
        },
        "spec": secretfiles.mounted(pods.pod(name, container), files),
    }
    return [
        pods.service_account(name, namespace, proof.identity(access)),
        routing.service(name, namespace),
        scaling.disruption_budget(name, namespace, name),
        _isolation(prometheus_url, access),
        pods.deployment(name, namespace, template, replicas=_REPLICAS, revisionHistoryLimit=5),
    ]


def _tokens(secret: str | None) -> list[SecretFiles]:
    if secret is None:
        return []
    return [SecretFiles("tokens", secret, {conventions.TOKEN_KEY: "SLUICE_TOKEN_FILE"})]


def _isolation(prometheus_url: str, access: PrometheusAccess) -> Manifest:
    """The controllers may ask, Prometheus may scrape; the judge may ask Prometheus, and whoever
    gives it the credentials to do so. No more.
    """
    askers = (
        conventions.ARGO_NAMESPACE,
        conventions.FLAGGER_NAMESPACE,
        conventions.MONITORING_NAMESPACE,
    )
    address = urlsplit(prometheus_url)
    # A policy sees the pod's port, which may be another one than its Service's.
    prometheus = address.port or (443 if address.scheme == "https" else 80)
    rules = {
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {
                "from": [network.namespace(asker) for asker in askers],
                "ports": [network.tcp(conventions.CONTAINER_PORT)],
            }
        ],
        "egress": [
            {"to": [network.namespace(conventions.MONITORING_NAMESPACE)]},
            {"ports": [network.tcp(prometheus)]},
            {"ports": [network.tcp(_DNS), {"protocol": "UDP", "port": _DNS}]},
            *proof.egress(access),
        ],
    }
    return network.policy(conventions.JUDGE, conventions.PLATFORM_NAMESPACE, rules)


def _pod_security(mode: str) -> dict[str, str]:
    return {f"{conventions.POD_SECURITY}/{mode}": "restricted"}


def _namespace(name: str, labels: dict[str, str]) -> Manifest:
    named = {"name": name, "labels": {conventions.MANAGED_BY: conventions.PROJECT} | labels}
    return Manifest(body("v1", "Namespace", named))
