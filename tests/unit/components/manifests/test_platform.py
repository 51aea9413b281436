"""The namespaces and the judge."""

from typing import Any

import pytest

from components.manifests import platform
from components.manifests.manifest import Manifest


@pytest.fixture
def judge() -> dict[str, dict[str, Any]]:
    manifests = platform.judge("sluice/judge:0.1.0", "http://prometheus.monitoring.svc:9090", 2)
    return {manifest.kind: manifest.body for manifest in manifests}


def by_name(manifests: list[Manifest]) -> dict[str, dict[str, str]]:
    return {manifest.name: manifest.body["metadata"]["labels"] for manifest in manifests}


def test_services_share_a_namespace_with_the_mesh_and_the_judge_does_not() -> None:
    """The controllers are outside the mesh, so the judge must answer without its certificates."""
    labels = by_name(platform.namespaces("shop"))
    assert labels["shop"]["istio-injection"] == "enabled"
    assert "istio-injection" not in labels["sluice-system"]


def test_the_platform_admits_only_pods_without_privileges() -> None:
    labels = by_name(platform.namespaces("shop"))
    assert labels["sluice-system"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_judge_runs_twice_and_one_may_always_go(judge: dict[str, dict[str, Any]]) -> None:
    assert judge["Deployment"]["spec"]["replicas"] == 2
    assert judge["Deployment"]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert judge["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == {"app": "judge"}


def test_the_judge_answers_where_the_controllers_ask(judge: dict[str, dict[str, Any]]) -> None:
    service = judge["Service"]
    assert (service["metadata"]["name"], service["metadata"]["namespace"]) == (
        "judge",
        "sluice-system",
    )
    assert [(port["port"], port["targetPort"]) for port in service["spec"]["ports"]] == [
        (80, "http")
    ]
    (container,) = judge["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["ports"][0]["name"] == "http"
    assert container["ports"][0]["containerPort"] == 8080


def test_the_judge_knows_its_prometheus(judge: dict[str, dict[str, Any]]) -> None:
    (container,) = judge["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [
        {"name": "SLUICE_ISTIO_REPORTER", "value": "source"},
        {"name": "SLUICE_PROMETHEUS_URL", "value": "http://prometheus.monitoring.svc:9090"},
        {"name": "SLUICE_SCRAPE_INTERVAL", "value": "2"},
    ]


def test_the_judge_has_no_access_to_the_api_server(judge: dict[str, dict[str, Any]]) -> None:
    assert judge["ServiceAccount"]["automountServiceAccountToken"] is False
    pod = judge["Deployment"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == "judge"


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://prometheus.monitoring.svc:9090", 9090),
        ("https://metrics.example.com/workspace", 443),
        ("http://prometheus.monitoring.svc", 80),
    ],
)
def test_the_judge_may_talk_only_to_prometheus_and_dns(url: str, port: int) -> None:
    manifests = platform.judge("sluice/judge:0.1.0", url, 15)
    (policy,) = [each.body["spec"] for each in manifests if each.kind == "NetworkPolicy"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    monitoring, *others = policy["egress"]
    assert [peer["namespaceSelector"]["matchLabels"].popitem()[1] for peer in monitoring["to"]] == [
        "monitoring"
    ]
    assert [rule["port"] for peer in others for rule in peer["ports"]] == [port, 53, 53]
    (ingress,) = policy["ingress"]
    askers = [peer["namespaceSelector"]["matchLabels"].popitem()[1] for peer in ingress["from"]]
    assert askers == ["argo-rollouts", "flagger-system", "monitoring"]
