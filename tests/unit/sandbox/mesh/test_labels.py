"""Who a pod is, and what a request is labelled with, by Istio's rules."""

from dataclasses import replace
from typing import Any

import pytest

from sandbox.mesh.accesslog import Request
from sandbox.mesh.labels import LABELS, NOBODY, Service, labels, service, workload

REQUEST = Request(
    caller="127.9.1.7",
    cluster="outbound|80||web-canary.shop.svc.cluster.local",
    upstream="127.9.1.4",
    reached=True,
    code=503,
    flags="URX,UF",
    milliseconds=4,
)


def pod(labels: dict[str, str], owner: tuple[str, str] | None = None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": "web-5d-x7", "namespace": "shop", "labels": labels}
    if owner:
        metadata["ownerReferences"] = [
            {"kind": "Node", "name": "n", "controller": False},
            {"kind": owner[0], "name": owner[1], "controller": True},
        ]
    return {"metadata": metadata}


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (pod({"pod-template-hash": "5d9"}, ("ReplicaSet", "web-5d9")), "web"),
        (pod({"pod-template-hash": "5d9"}, ("ReplicaSet", "web-primary-5d9")), "web-primary"),
        (pod({"rollouts-pod-template-hash": "7c"}, ("ReplicaSet", "web-7c")), "web"),
        (pod({"pod-template-hash": "other"}, ("ReplicaSet", "web-5d9")), "web-5d9"),
        (pod({}, ("StatefulSet", "db")), "db"),
        (pod({}), "web-5d-x7"),
        (pod({"service.istio.io/workload-name": "given"}, ("Job", "j")), "given"),
    ],
    ids=[
        "Deployment",
        "Flagger's primary",
        "Rollout",
        "foreign hash",
        "StatefulSet",
        "bare",
        "label",
    ],
)
def test_the_workload_is_named_after_what_controls_the_pod(found: dict[str, Any], name: str):
    assert workload(found).name == name


def test_version_and_app_come_from_the_labels_of_the_pod():
    found = workload(pod({"app": "web", "version": "1.2-ab", "app.kubernetes.io/name": "shop-web"}))
    assert (found.app, found.version, found.namespace) == ("web", "1.2-ab", "shop")
    assert (found.canonical_service, found.canonical_revision) == ("shop-web", "1.2-ab")


def test_a_pod_without_labels_has_an_unknown_version():
    found = workload({"metadata": {"name": "p", "namespace": "shop"}})
    assert (found.app, found.version, found.canonical_revision) == ("unknown", "unknown", "latest")


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [
        (
            "outbound|80||web.shop.svc.cluster.local",
            Service("web.shop.svc.cluster.local", "web", "shop"),
        ),
        (
            "outbound|8080|v2|web.shop.svc.cluster.local",
            Service("web.shop.svc.cluster.local", "web", "shop"),
        ),
        ("outbound|443||api.example.com", Service("api.example.com", "api.example.com", "unknown")),
        ("BlackHoleCluster", Service("BlackHoleCluster", "BlackHoleCluster", "unknown")),
        ("", Service("unknown", "unknown", "unknown")),
    ],
)
def test_the_service_is_read_from_the_name_of_the_cluster(cluster: str, expected: Service):
    assert service(cluster) == expected


def named(reporter: str, request: Request, destination=NOBODY) -> dict[str, str]:
    return dict(zip(LABELS, labels(reporter, NOBODY, destination, request), strict=True))


def test_a_request_that_found_no_pod_keeps_its_service_and_has_no_version():
    found = named("source", replace(REQUEST, upstream=""))
    assert found["destination_service_name"] == "web-canary"
    assert found["destination_workload"] == found["destination_version"] == "unknown"
    assert (found["response_code"], found["response_flags"]) == ("503", "URX,UF")


def test_a_pod_that_refused_the_connection_is_still_named():
    """A dead canary must count against the canary."""
    canary = workload(pod({"app": "web", "version": "2"}, ("Deployment", "web")))
    found = named("source", REQUEST, canary)
    assert (found["destination_workload"], found["destination_version"]) == ("web", "2")


def test_only_the_destination_knows_the_security_of_the_connection():
    assert named("source", REQUEST)["connection_security_policy"] == "unknown"
    assert named("destination", REQUEST)["connection_security_policy"] == "none"
