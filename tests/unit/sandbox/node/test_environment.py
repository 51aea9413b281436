"""A container sees the environment its specification asks for, resolved as on a cluster."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.network import Network
from sandbox.node.environment import EnvironmentFault, base, expand, resolve, sources

POD = {
    "metadata": {
        "name": "checkout-1",
        "namespace": "shop",
        "uid": "u-1",
        "labels": {"version": "1.1.0-0a1b2c3d"},
        "annotations": {"example.org/owner": "shop"},
    },
    "spec": {"nodeName": "sandbox"},
    "status": {"podIP": "10.244.3.7", "hostIP": "10.244.0.1"},
}
FOUND = {
    ("configmaps", "settings"): {"level": "debug", "color": "red"},
    ("secrets", "token"): {"value": "s3cret"},
    ("configmaps", "absent"): None,
}


def resolved(*env: dict[str, Any], **container: Any) -> dict[str, str]:
    return resolve({"name": "app", "env": list(env), **container}, POD, FOUND, {"GIVEN": "yes"})


def field(path: str) -> dict[str, Any]:
    return {"name": "X", "valueFrom": {"fieldRef": {"fieldPath": path}}}


def test_the_process_is_told_its_own_loopback_address_and_the_mesh_as_proxy():
    given = base(Network(42), "checkout-1", "10.244.3.7", Path("/home"))
    assert given["HOST"] == "127.42.3.7"
    assert given["HTTP_PROXY"] == "http://127.42.0.7:15080"
    assert given["HOSTNAME"] == "checkout-1"


def test_parts_of_the_sandbox_outside_the_mesh_are_reached_without_the_proxy():
    given = base(Network(42), "checkout-1", "10.244.3.7", Path("/home"))
    assert Network(42).address("prometheus") in given["NO_PROXY"].split(",")


def test_later_variables_win_and_may_refer_to_earlier_ones():
    env = resolved({"name": "A", "value": "1"}, {"name": "GIVEN", "value": "$(A)-$(B)-$$(A)"})
    assert env == {"A": "1", "GIVEN": "1-$(B)-$(A)"}


def test_expansion_leaves_unknown_names_and_single_dollars_alone():
    assert expand("$HOME $(UNKNOWN) 5$", {"HOME": "x"}) == "$HOME $(UNKNOWN) 5$"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "checkout-1"),
        ("metadata.namespace", "shop"),
        ("metadata.labels['version']", "1.1.0-0a1b2c3d"),
        ("metadata.annotations['example.org/owner']", "shop"),
        ("metadata.labels['absent']", ""),
        ("status.podIP", "10.244.3.7"),
        ("status.hostIP", "10.244.0.1"),
        ("spec.nodeName", "sandbox"),
    ],
)
def test_fields_of_the_pod(path: str, value: str):
    assert resolved(field(path))["X"] == value


def test_an_unknown_field_names_the_variable_and_the_path():
    with pytest.raises(EnvironmentFault, match=r"variable X: fieldPath metadata.color"):
        resolved(field("metadata.color"))


def test_keys_of_config_maps_and_secrets():
    level = {"configMapKeyRef": {"name": "settings", "key": "level"}}
    token = {"secretKeyRef": {"name": "token", "key": "value"}}
    env = resolved({"name": "L", "valueFrom": level}, {"name": "T", "valueFrom": token})
    assert (env["L"], env["T"]) == ("debug", "s3cret")


def test_a_whole_config_map_with_a_prefix_gives_way_to_named_variables():
    source = {"prefix": "APP_", "configMapRef": {"name": "settings"}}
    env = resolved({"name": "APP_color", "value": "blue"}, envFrom=[source])
    assert (env["APP_level"], env["APP_color"]) == ("debug", "blue")


@pytest.mark.parametrize("name", ["absent", "settings"])
def test_a_missing_object_or_key_is_an_error_unless_optional(name: str):
    reference: dict[str, Any] = {"name": name, "key": "nowhere"}
    variable = {"name": "X", "valueFrom": {"configMapKeyRef": reference}}
    with pytest.raises(EnvironmentFault, match=f"variable X: configmaps {name}"):
        resolved(variable)
    reference["optional"] = True
    assert "X" not in resolved(variable)


def test_resources_are_read_from_the_container_itself():
    source = {"resourceFieldRef": {"resource": "limits.cpu"}}
    env = resolved({"name": "X", "valueFrom": source}, resources={"limits": {"cpu": "500m"}})
    assert env["X"] == "500m"
    with pytest.raises(EnvironmentFault, match=r"no resource limits\.cpu"):
        resolved({"name": "X", "valueFrom": source})


def test_sources_lists_every_object_that_must_be_fetched():
    container = {
        "envFrom": [{"secretRef": {"name": "all"}}],
        "env": [
            {"name": "A", "value": "1"},
            {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "k"}}},
            field("metadata.name"),
        ],
    }
    assert sources(container) == {("secrets", "all"), ("configmaps", "settings")}
