"""An apply leaves alone what ignore_changes leaves to another controller."""

import copy

from hypothesis import given
from hypothesis import strategies as st

from sandbox.pulumi import ignoring

HTTP = ("spec", "http")
DECLARED = {
    "metadata": {"name": "web"},
    "spec": {"hosts": ["web"], "http": [{"weight": 100}]},
}


def live(http, *managed):
    """A VirtualService as the API server shows it; `managed` are (manager, fields)."""
    entries = [{"manager": manager, "fieldsV1": fields} for manager, fields in managed]
    return {
        "metadata": {"name": "web", "managedFields": entries},
        "spec": {"hosts": ["web"], "http": http},
    }


def owns(*keys):
    """The fieldsV1 of a manager of one field."""
    fields: dict = {}
    for key in reversed(keys):
        fields = {f"f:{key}": fields}
    return fields


def test_a_field_only_others_manage_is_not_sent():
    """After a controller has shifted the weight, sending ours would be a conflict."""
    now = live([{"weight": 90}], ("pulumi", owns("spec", "hosts")), ("argo", owns(*HTTP)))
    assert ignoring.without_ignored(DECLARED, now, [HTTP], "pulumi")["spec"] == {"hosts": ["web"]}


def test_a_field_of_ours_is_sent_as_it_is_live():
    """Leaving it out would delete it: nobody else holds it."""
    now = live([{"weight": 70}], ("pulumi", owns(*HTTP)), ("argo", owns("status")))
    sent = ignoring.without_ignored(DECLARED, now, [HTTP], "pulumi")
    assert sent["spec"]["http"] == [{"weight": 70}]


def test_a_field_that_is_gone_is_not_brought_back():
    now = live([], ("pulumi", owns("spec", "hosts")))
    del now["spec"]["http"]
    assert "http" not in ignoring.without_ignored(DECLARED, now, [HTTP], "pulumi")["spec"]


def test_an_atomic_map_belongs_to_its_manager_with_all_keys():
    """A Service's selector is one whole: who manages it manages every key in it."""
    now = live([], ("rollouts", owns("spec", "selector")))
    assert ignoring.managers(now, ("spec", "selector", "app")) == {"rollouts"}


def test_a_keyed_list_belongs_to_who_manages_anything_in_it():
    fields = {"f:spec": {"f:ports": {'k:{"port":80}': {"f:name": {}}}}}
    assert ignoring.managers(live([], ("argo", fields)), ("spec", "ports")) == {"argo"}


def test_a_path_into_a_list_is_sent_as_declared():
    """As in the real provider: it hides the diff only."""
    now = live([{"weight": 90}], ("argo", owns(*HTTP)))
    assert ignoring.without_ignored(DECLARED, now, [(*HTTP, 0, "weight")], "pulumi") == DECLARED


@given(
    st.lists(st.sampled_from(["pulumi", "argo", "flagger"]), unique=True),
    st.lists(st.sampled_from([HTTP, ("spec", "hosts"), ("spec", "absent")]), unique=True),
)
def test_only_ignored_paths_change_and_the_declaration_does_not(managers, ignored):
    now = live([{"weight": 1}], *((manager, owns(*HTTP)) for manager in managers))
    before = copy.deepcopy(DECLARED)
    sent = ignoring.without_ignored(DECLARED, now, ignored, "pulumi")
    assert before == DECLARED
    for field in {"http", "hosts"} - {path[1] for path in ignored}:
        assert sent["spec"][field] == DECLARED["spec"][field]
    assert ignoring.without_ignored(sent, now, ignored, "pulumi") == sent
