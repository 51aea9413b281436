"""What holds for every service, whatever its strategy and controller."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from components.manifests.manifest import Manifest
from components.manifests.service import CONTROLLERS
from components.spec.kinds import Controller

Objects = Callable[..., dict[str, Manifest]]

KINDS = [
    {"controller": "argo"},
    {"controller": "flagger"},
    {"strategy": "rolling", "slo": None},
    {"controller": "argo", "replicas": {"min": 2, "max": 6}},
    {"controller": "flagger", "replicas": {"min": 2, "max": 6}},
    {"strategy": "rolling", "replicas": {"min": 2, "max": 6}},
]


def test_every_controller_has_a_builder() -> None:
    assert set(CONTROLLERS) == set(Controller)


@pytest.mark.parametrize("args", KINDS)
def test_every_object_is_plain_data_that_says_whose_it_is(
    make_objects: Objects, args: dict[str, Any]
) -> None:
    for manifest in make_objects(**args).values():
        yaml.safe_dump(manifest.body)  # refuses anything but plain values
        meta = manifest.body["metadata"]
        assert meta["namespace"] == "shop"
        assert meta["labels"]["app.kubernetes.io/name"] == "checkout"
        assert meta["labels"]["app.kubernetes.io/managed-by"] == "sluice"


@pytest.mark.parametrize("args", KINDS)
def test_the_same_call_gives_the_same_objects(make_objects: Objects, args: dict[str, Any]) -> None:
    """A second `pulumi up` must find nothing to do."""
    assert make_objects(**args) == make_objects(**args)


@pytest.mark.parametrize("args", KINDS)
def test_pods_have_an_identity_without_a_token(make_objects: Objects, args: dict[str, Any]) -> None:
    objects = make_objects(**args)
    assert objects["ServiceAccount/checkout"].body["automountServiceAccountToken"] is False


@pytest.mark.parametrize("args", KINDS)
def test_only_the_mesh_may_call(make_objects: Objects, args: dict[str, Any]) -> None:
    """A caller outside the mesh would not be split by weight, and not be counted."""
    mesh, monitoring = make_objects(**args)["NetworkPolicy/checkout"].body["spec"]["ingress"]
    labels = [peer["namespaceSelector"]["matchLabels"] for peer in mesh["from"]]
    assert labels == [
        {"istio-injection": "enabled"},
        {"kubernetes.io/metadata.name": "istio-system"},
    ]
    assert mesh["ports"] == [{"protocol": "TCP", "port": 8080}]
    (prometheus,) = monitoring["from"]
    assert prometheus["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "monitoring"
    }


def test_a_rolling_service_adds_pods_before_it_takes_any_away(make_objects: Objects) -> None:
    objects = make_objects(strategy="rolling", slo=None)
    assert {manifest.kind for manifest in objects.values()} == {
        "ServiceAccount",
        "NetworkPolicy",
        "Service",
        "PodDisruptionBudget",
        "Deployment",
    }
    deployment = objects["Deployment/checkout"].body["spec"]
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": 0}
    assert deployment["minReadySeconds"] == 30
    assert deployment["progressDeadlineSeconds"] == 600
    assert deployment["revisionHistoryLimit"] == 10
    assert deployment["replicas"] == 2


def test_nobody_else_changes_a_rolling_service(make_objects: Objects) -> None:
    objects = make_objects(strategy="rolling", slo=None)
    assert not any(manifest.controlled for manifest in objects.values())
    assert "annotations" not in objects["Service/checkout"].body["metadata"]
