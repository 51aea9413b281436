"""The diff shows exactly what changed, and what of it replaces the object."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.pulumi.diff import Change, Difference, differences, replaced_in_place

leaves = st.one_of(st.booleans(), st.integers(), st.text(max_size=3))
keys = st.sampled_from(["a", "b", "c", "d.e"])
trees = st.dictionaries(
    keys,
    st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=12,
    ),
)

CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"}}
ROLLOUT = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "r"}}


@given(trees)
def test_nothing_changed_is_no_difference(tree):
    assert differences(tree, tree) == []


@given(trees, trees)
def test_different_inputs_differ_both_ways(old, new):
    """A change never goes unseen, and what one direction adds the other deletes."""
    opposite = {
        Change.ADD: Change.DELETE,
        Change.DELETE: Change.ADD,
        Change.UPDATE: Change.UPDATE,
    }
    there = {(item.path, item.change) for item in differences(old, new)}
    back = {(item.path, opposite[item.change]) for item in differences(new, old)}
    assert there == back
    assert bool(there) == (repr(_sorted(old)) != repr(_sorted(new)))


@given(trees, trees)
def test_ignored_paths_hide_what_they_cover_and_nothing_else(old, new):
    everything = differences(old, new)
    ignored = [("a",)]
    kept = differences(old, new, ignored)
    assert kept == [item for item in everything if item.path[0] != "a"]


def test_an_element_of_a_list_is_named():
    old = {**ROLLOUT, "spec": {"steps": [{"weight": 10}, {"weight": 50}]}}
    new = {**ROLLOUT, "spec": {"steps": [{"weight": 10}, {"weight": 60}, {}]}}
    assert differences(old, new) == [
        Difference(("spec", "steps", 1, "weight"), Change.UPDATE, replaces=False),
        Difference(("spec", "steps", 2), Change.ADD, replaces=False),
    ]


def test_another_name_namespace_or_version_replaces():
    for path, value in [("name", "d"), ("namespace", "other")]:
        renamed = {**CONFIG, "metadata": {**CONFIG["metadata"], path: value}}
        assert [item.replaces for item in differences(CONFIG, renamed)] == [True]
    assert differences(CONFIG, {**CONFIG, "apiVersion": "v2"})[0].replaces


def test_what_the_api_server_holds_fixed_replaces_only_there():
    """A Deployment's selector cannot change; a Rollout's can."""
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}}
    for base, replaces in [(deployment, True), (ROLLOUT, False)]:
        old = {**base, "spec": {"selector": {"matchLabels": {"app": "a"}}, "replicas": 1}}
        new = {**base, "spec": {"selector": {"matchLabels": {"app": "b"}}, "replicas": 2}}
        found = {item.path: item.replaces for item in differences(old, new)}
        assert found == {
            ("spec", "replicas"): False,
            ("spec", "selector", "matchLabels", "app"): replaces,
        }


def test_a_given_name_must_be_freed_first_and_a_generated_one_not():
    """Two objects cannot have one name; a generated name is new for every replacement."""
    new = {**CONFIG, "data": {"a": "2"}}
    assert replaced_in_place(CONFIG, new)
    generated = {"name": "c", "annotations": {"pulumi.com/autonamed": "true"}}
    assert not replaced_in_place(CONFIG, {**new, "metadata": generated})
    assert not replaced_in_place(CONFIG, {**new, "metadata": {"name": "d", "namespace": "shop"}})


def _sorted(tree):
    if isinstance(tree, dict):
        return {key: _sorted(tree[key]) for key in sorted(tree)}
    return [_sorted(item) for item in tree] if isinstance(tree, list) else tree
