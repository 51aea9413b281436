"""What the API server's refusals say, and which kubeconfigs are understood."""

import pytest

from sandbox.errors import SandboxError
from sandbox.pulumi.cluster import Cluster, Kind, RefusedError


def test_a_conflict_names_the_field_its_manager_and_the_ways_out():
    message = 'conflict with "rollouts-controller" using networking.istio.io/v1'
    cause = {"reason": "FieldManagerConflict", "message": message, "field": ".spec.http"}
    error = RefusedError(409, {"message": "Apply failed", "details": {"causes": [cause]}})
    for said in (".spec.http", "rollouts-controller", "ignore_changes", "pulumi.com/patchForce"):
        assert said in str(error)


def test_any_other_refusal_is_the_servers_own_text():
    error = RefusedError(422, {"message": "spec.port: Invalid value: 0", "details": {}})
    assert str(error) == "spec.port: Invalid value: 0"


def test_a_cluster_wide_kind_has_no_namespace():
    roles = Kind("rbac.authorization.k8s.io/v1", "clusterroles", namespaced=False)
    assert roles.place("shop", "admin")["namespace"] is None
    pods = Kind("v1", "pods", namespaced=True)
    assert pods.place("shop", "a") == {"version": "v1", "namespace": "shop", "url": "pods/a"}


async def test_a_kubeconfig_that_is_none_is_named():
    with pytest.raises(SandboxError, match="neither a file nor the content"):
        await Cluster("no/such/file", None, None).kind("v1", "Pod")


async def test_a_server_that_does_not_answer_is_said_so():
    """Given as content, as a program passes it on."""
    content = (
        "apiVersion: v1\nkind: Config\ncurrent-context: x\n"
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:9'}}]\n"
        "users: [{name: u, user: {token: t}}]\n"
        "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
    )
    with pytest.raises(SandboxError, match="does not answer"):
        await Cluster(content, None, None).kind("v1", "Pod")
