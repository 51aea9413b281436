"""What the API server's refusals say, and which kubeconfigs are understood."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

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
    with pytest.raises(SandboxError, match="does not answer"):
        await Cluster(kubeconfig("http://127.0.0.1:9"), None, None).kind("v1", "Pod")


async def test_a_server_that_is_still_starting_is_asked_again():
    """It fills its caches when it is first asked, and refuses with 429 until it has."""
    busy = 429, {"message": "storage is (re)initializing", "reason": "TooManyRequests"}
    pod = {"name": "pods", "kind": "Pod", "namespaced": True}
    with server([busy, (200, {"resources": [pod]})]) as url:
        found = await Cluster(kubeconfig(url), None, None).kind("v1", "Pod")
    assert found == Kind("v1", "pods", namespaced=True)


def kubeconfig(server: str) -> str:
    """As content, as a program passes it on."""
    return (
        "apiVersion: v1\nkind: Config\ncurrent-context: x\n"
        f"clusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n"
        "users: [{name: u, user: {token: t}}]\n"
        "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
    )


@contextmanager
def server(answers: list[tuple[int, dict[str, Any]]]) -> Iterator[str]:
    """Gives these answers to what is asked (but its version), in their order."""
    left = iter(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            version = {"gitVersion": "v1.35.0", "major": "1", "minor": "35"}
            code, body = (200, version) if self.path.startswith("/version") else next(left)
            content = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
