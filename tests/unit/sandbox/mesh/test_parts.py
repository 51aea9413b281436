"""What the mesh consists of and where it listens."""

# The generated message classes are made at import time, where no type checker sees them.
# pyright: reportAttributeAccessIssue=false

import ipaddress
import json
from pathlib import Path

import pytest
from envoy.config.bootstrap.v3.bootstrap_pb2 import Bootstrap
from google.protobuf.json_format import ParseDict

from sandbox import mesh
from sandbox.mesh import names
from sandbox.mesh.envoy import bootstrap
from sandbox.network import Network

# Importing the module makes the type known to the parser of the bootstrap.
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2  # noqa: F401  isort: skip

NETWORK = Network(42)


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    path.write_text("{}")
    return path


def test_everything_listens_in_the_sandboxs_own_network(kubeconfig: Path, tmp_path: Path):
    parts = mesh.processes(NETWORK, kubeconfig, tmp_path / "mesh", tmp_path / "bin")
    listens = [pair for part in parts for pair in part.listens]
    assert len(set(listens)) == len(listens)
    own = ipaddress.ip_network("127.42.0.0/24")
    assert all(ipaddress.ip_address(address) in own for address, _ in listens)


def test_istiod_and_the_relay_start_before_the_envoys(kubeconfig: Path, tmp_path: Path):
    parts = mesh.processes(NETWORK, kubeconfig, tmp_path / "mesh", tmp_path / "bin")
    order = [part.name for part in parts]
    assert order == ["istiod", "mesh-relay", "mesh-metrics", "gateway", "proxy"]


def test_a_new_kubeconfig_replaces_the_parts_that_read_it(kubeconfig: Path, tmp_path: Path):
    def digests() -> dict[str, str]:
        parts = mesh.processes(NETWORK, kubeconfig, tmp_path / "mesh", tmp_path / "bin")
        return {part.name: part.digest for part in parts}

    before = digests()
    assert digests() == before
    kubeconfig.write_text('{"users": []}')
    changed = {name for name, digest in digests().items() if digest != before[name]}
    assert changed == {"istiod", "mesh-metrics"}


def test_gateway_and_proxy_are_told_where_to_listen_by_istios_own_objects():
    objects = {item["kind"]: item for item in mesh.manifests(NETWORK)}
    assert (objects["Namespace"]["metadata"]["name"]) == "istio-system"
    (server,) = objects["Gateway"]["spec"]["servers"]
    assert (objects["Gateway"]["metadata"]["name"], server["bind"]) == ("ingress", "127.42.0.4")
    (egress,) = objects["Sidecar"]["spec"]["egress"]
    assert (egress["bind"], egress["port"]["number"]) == ("127.42.0.7", 15080)
    assert objects["Sidecar"]["spec"]["workloadSelector"]["labels"] == names.PROXY.labels


@pytest.mark.parametrize("node", [names.GATEWAY, names.PROXY], ids=lambda node: node.host)
def test_the_bootstrap_is_valid_and_says_who_the_proxy_is(node: names.Node):
    message = ParseDict(bootstrap(NETWORK, node), Bootstrap())
    kind, ip, workload, _ = message.node.id.split("~")
    assert (kind, ip) == (node.kind, node.ip)
    assert workload == f"{node.workload}.istio-system"
    assert NETWORK.loopback(node.ip) == NETWORK.address(node.host)
    assert names.ACCESS_LOG_CLUSTER in [c.name for c in message.static_resources.clusters]


def test_names_that_are_no_service_stay_in_the_sandbox(kubeconfig: Path, tmp_path: Path):
    parts = mesh.processes(NETWORK, kubeconfig, tmp_path / "mesh", tmp_path / "bin")
    [istiod] = [part for part in parts if part.name == "istiod"]
    config = json.loads(istiod.files[tmp_path / "mesh" / "mesh.json"])
    assert config["outboundTrafficPolicy"]["mode"] == "REGISTRY_ONLY"
