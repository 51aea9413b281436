"""Names, identities and secrets of objects."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.pulumi import objects
from sandbox.pulumi.properties import UNKNOWN, has_unknowns

SEED = b"seed"


def test_a_given_name_stays():
    inputs = {"metadata": {"name": "web"}}
    assert objects.named(inputs, {}, "resource", SEED) == inputs


def test_a_missing_name_is_the_resources_with_a_suffix_from_the_seed():
    """The engine's seed makes it the same in a planned and in the real update."""
    named = objects.named({"kind": "ConfigMap"}, {}, "settings", SEED)
    assert named["metadata"]["name"].startswith("settings-")
    assert named == objects.named({"kind": "ConfigMap"}, {}, "settings", SEED)
    assert named != objects.named({"kind": "ConfigMap"}, {}, "settings", b"other")


def test_a_generated_name_survives_updates():
    first = objects.named({}, {}, "settings", SEED)
    again = objects.named({"data": {"a": "2"}}, first, "settings", b"another seed")
    assert again["metadata"] == first["metadata"]


def test_metadata_a_preview_does_not_know_is_left_alone():
    assert objects.named({"metadata": UNKNOWN}, {}, "x", SEED) == {"metadata": UNKNOWN}


@pytest.mark.parametrize("identity", ["shop/web", "web"])
def test_an_id_is_namespace_and_name(identity):
    namespace, name = objects.split_identifier(identity)
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    assert objects.identifier({"metadata": metadata}) == identity


def test_the_kind_of_an_object_known_by_its_type_alone():
    assert objects.kind_of({}, "kubernetes:core/v1:Service") == ("v1", "Service")
    assert objects.kind_of({}, "kubernetes:apps/v1:Deployment") == ("apps/v1", "Deployment")


@pytest.mark.parametrize(
    ("inputs", "token", "said"),
    [
        ({}, "kubernetes:helm.sh/v3:Release", "helm.sh/v3:Release"),
        ({}, "kubernetes:core/v1:ConfigMapPatch", "ConfigMapPatch"),
        ({"metadata": {"generateName": "a-"}}, "kubernetes:core/v1:Pod", "generateName"),
    ],
)
def test_what_only_the_real_provider_does_is_refused_by_name(inputs, token, said):
    (reason,) = objects.unsupported(inputs, token)
    assert said in reason


def test_an_ordinary_object_is_supported():
    assert objects.unsupported({"metadata": {"name": "a"}}, "kubernetes:core/v1:Pod") == []


def test_a_secrets_text_becomes_data_as_the_server_shows_it():
    secret = {"kind": "Secret", "data": {"a": "YQ=="}, "stringData": {"p": "hunter2", "q": UNKNOWN}}
    encoded = objects.with_encoded_secret(secret)
    data = {"a": "YQ==", "p": base64.b64encode(b"hunter2").decode(), "q": UNKNOWN}
    assert encoded == {"kind": "Secret", "data": data}


def test_only_a_secrets_payload_is_marked():
    marked = objects.with_secret_data({"kind": "Secret", "type": "Opaque", "data": {"p": "x"}})
    assert marked["type"] == "Opaque"
    assert marked["data"]["value"] == {"p": "x"}
    config = {"kind": "ConfigMap", "data": {"p": "x"}}
    assert objects.with_secret_data(config) == config


def test_the_state_has_no_field_managers():
    live = {"metadata": {"name": "a", "uid": "1", "managedFields": [{}]}, "spec": {}}
    assert objects.state(live) == {"metadata": {"name": "a", "uid": "1"}, "spec": {}}


def test_a_dry_run_does_not_promise_what_the_server_makes_up():
    """A preview that shows a made-up uid or cluster IP would show a change that is none."""
    dry = {
        "metadata": {"name": "a", "uid": "1", "resourceVersion": "2"},
        "spec": {"clusterIP": "10.96.0.9", "ports": [{"port": 80}]},
    }
    planned = objects.forecast(dry)
    assert planned["metadata"] == {"name": "a", "uid": UNKNOWN, "resourceVersion": UNKNOWN}
    assert planned["spec"] == {"clusterIP": UNKNOWN, "ports": [{"port": 80}]}
    assert planned["status"] == UNKNOWN
    assert not has_unknowns(dry)


def test_an_update_keeps_what_is_known_of_the_live_object():
    """A preview without the API server must not show a uid as gone."""
    live = {"metadata": {"name": "a", "uid": "1"}, "spec": {"replicas": 1, "list": [1, 2]}}
    inputs = {"metadata": {"name": "a"}, "spec": {"replicas": UNKNOWN, "list": [3]}}
    assert objects.overlaid(live, inputs) == {
        "metadata": {"name": "a", "uid": "1"},
        "spec": {"replicas": UNKNOWN, "list": [3]},
    }


trees = st.recursive(
    st.integers() | st.text(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(trees)
def test_nothing_drifted_is_no_drift(inputs):
    assert objects.pruned(inputs, inputs) == inputs


@given(st.dictionaries(st.sampled_from("abc"), trees), st.dictionaries(st.text(), trees))
def test_what_the_server_added_is_no_drift(inputs, added):
    live = {**added, **inputs}
    assert objects.pruned(live, inputs) == inputs


def test_drift_of_a_declared_field_shows():
    inputs = {"spec": {"replicas": 1, "list": [{"a": 1}]}}
    live = {"spec": {"replicas": 5, "list": [{"a": 2, "default": 3}], "added": 1}, "status": {}}
    assert objects.pruned(live, inputs) == {"spec": {"replicas": 5, "list": [{"a": 2}]}}
