"""The mesh against a real API server: istiod, both Envoys, the relay, the metrics."""

import asyncio
import os
import re
import signal
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from kr8s.asyncio import Api

from sandbox import cluster, controlplane, mesh
from sandbox.layout import Layout
from sandbox.mesh import names
from sandbox.network import Network
from sandbox.process import Process, Processes
from tests.contract.support.system import until

Manifest = dict[str, Any]
NAMESPACE = "shop"
PODS = {"web-1": ("10.244.1.1", "1.0"), "web-2": ("10.244.1.2", "2.0")}


@dataclass(frozen=True)
class Sandbox:
    kubeconfig: Path
    network: Network
    processes: Processes
    parts: dict[str, Process]

    def kill(self, name: str) -> None:
        record = self.processes.find(name)
        assert record
        os.kill(record.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A control plane with the mesh, two Services and a pod (a server in this process) each."""
    layout = Layout(state=tmp_path_factory.mktemp("clone"))
    layout.binaries.symlink_to(Layout().binaries)
    layout.crds.mkdir()
    (layout.crds / "istio.yaml").symlink_to(
        Layout().crds / "api-customresourcedefinitions.gen.yaml"
    )
    network = layout.network()
    processes = Processes(layout.sandbox)
    started = list(controlplane.processes(layout, network)[:2])
    try:
        for process in started:
            processes.ensure(process)
        asyncio.run(prepare(layout, network))
        parts = mesh.processes(network, layout.kubeconfig, layout.sandbox / "mesh", layout.binaries)
        for process in parts:
            started.append(process)
            processes.ensure(process)
        yield Sandbox(layout.kubeconfig, network, processes, {part.name: part for part in parts})
    finally:
        for process in reversed(started):
            processes.stop(process.name)


async def prepare(layout: Layout, network: Network) -> None:
    api = await cluster.connect(layout.kubeconfig)
    await cluster.apply_crds(api, layout.crds)
    # The account that a controller would make, without which no pod is admitted.
    namespace = [cluster.namespace(NAMESPACE), named("ServiceAccount", "v1", "default")]
    for manifest in [*mesh.manifests(network), *namespace]:
        await cluster.apply(api, manifest)
    for name, (ip, version) in PODS.items():
        for manifest in (service(name), endpoints(name, ip), pod(name, version)):
            await cluster.apply(api, manifest)
        async with api.call_api(
            "PATCH",
            namespace=NAMESPACE,
            url=f"pods/{name}/status",
            headers={"Content-Type": "application/merge-patch+json"},
            json={"status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]}},
        ):
            pass
    await cluster.apply(api, service("empty"))
    await cluster.apply(api, split(10))


def named(kind: str, version: str, name: str, **more: Any) -> Manifest:
    metadata = {"name": name, "namespace": NAMESPACE, **more.pop("metadata", {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def service(name: str) -> Manifest:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return named("Service", "v1", name, spec={"ports": ports})


def endpoints(name: str, ip: str) -> Manifest:
    return named(
        "EndpointSlice",
        "discovery.k8s.io/v1",
        name,
        metadata={"labels": {"kubernetes.io/service-name": name}},
        addressType="IPv4",
        ports=[{"name": "http", "port": 8080, "protocol": "TCP"}],
        endpoints=[{"addresses": [ip], "conditions": {"ready": True}}],
    )


def pod(name: str, version: str) -> Manifest:
    return named(
        "Pod",
        "v1",
        name,
        metadata={"labels": {"app": "web", "version": version}},
        spec={"containers": [{"name": "app", "image": "web"}], "nodeName": "here"},
    )


def split(weight: int) -> Manifest:
    """The VirtualService as a canary has it: `weight` percent to web-2, all with a header."""

    def to(host: str, weight: int = 100) -> Manifest:
        return {"destination": {"host": host}, "weight": weight}

    return named(
        "VirtualService",
        "networking.istio.io/v1",
        "web",
        spec={
            "hosts": ["web.local"],
            "gateways": ["istio-system/ingress"],
            "http": [
                {"match": [{"headers": {"x-arm": {"exact": "canary"}}}], "route": [to("web-2")]},
                {"match": [{"uri": {"prefix": "/empty"}}], "route": [to("empty")]},
                {"route": [to("web-1", 100 - weight), to("web-2", weight)]},
            ],
        },
    )


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 4096  # headers and body in one packet

    def do_GET(self) -> None:
        assert isinstance(self.server, Pod)
        body = self.server.version.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests need no access log."""


class Pod(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: str, version: str):
        self.version = version
        self.connections: set[socket.socket] = set()
        super().__init__((address, 8080), Answer)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, client = super().get_request()
        self.connections.add(connection)
        return connection, client

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def die(self) -> None:
        """Close everything, as the end of a process does."""
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            with suppress(OSError):  # the other side was first
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def serving(network: Network, *pods: str) -> Iterator[None]:
    servers = [Pod(network.loopback(PODS[name][0]), PODS[name][1]) for name in pods]
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield
    finally:
        for server in servers:
            server.die()


@pytest.fixture
def pods(sandbox: Sandbox) -> Iterator[None]:
    with serving(sandbox.network, *PODS):
        yield


@pytest.fixture
async def api(sandbox: Sandbox) -> Api:
    return await cluster.connect(sandbox.kubeconfig)


@pytest.fixture
async def gateway(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=sandbox.network.url("gateway", names.GATEWAY_PORT),
        headers={"Host": "web.local"},
        trust_env=False,
        timeout=30,
    ) as client:
        yield client


async def counts(sandbox: Sandbox) -> Counter[tuple[str, ...]]:
    """Requests by reporter, version, code, flags and service, as Prometheus would read them."""
    url = sandbox.network.url("relay", names.METRICS_PORT) + "/metrics"
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(url)).text
    found: Counter[tuple[str, ...]] = Counter()
    keys = ("reporter", "destination_version", "response_code", "response_flags")
    for labels, value in re.findall(r"^istio_requests_total\{(.*)\} (\S+)$", text, re.MULTILINE):
        label = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        found[(*(label[key] for key in keys), label["destination_service_name"])] += int(
            float(value)
        )
    return found


async def counted(
    sandbox: Sandbox, before: Counter[tuple[str, ...]], wanted: dict[tuple[str, ...], int]
) -> None:
    """Exactly these requests were counted since `before`, as soon as the reports are there."""

    async def total() -> int:
        return (await counts(sandbox) - before).total()

    await until(total, lambda found: found >= sum(wanted.values()), f"reports of {wanted}")
    assert await counts(sandbox) - before == wanted


async def in_force(gateway: httpx.AsyncClient, *versions: str) -> None:
    async def answering() -> set[str]:
        return {(await gateway.get("/")).text for _ in range(20)}

    expected = set(versions)
    await until(answering, lambda found: found == expected, f"requests reach {expected}")


async def test_requests_follow_the_weights_and_each_is_counted_once_per_reporter(
    sandbox: Sandbox, pods: None, api: Api, gateway: httpx.AsyncClient
):
    await cluster.apply(api, split(100))
    await in_force(gateway, "2.0")
    await cluster.apply(api, split(10))
    await in_force(gateway, "1.0", "2.0")
    await settled(sandbox)
    before = await counts(sandbox)
    answers = Counter([(await gateway.get("/")).text for _ in range(1000)])
    # Five standard deviations of a binomial count; a wrong weight is far outside.
    assert 50 <= answers["2.0"] <= 150
    await counted(
        sandbox,
        before,
        {
            (reporter, version, "200", "-", name): answers[version]
            for reporter in ("source", "destination")
            for name, (_, version) in PODS.items()
        },
    )


async def settled(sandbox: Sandbox) -> None:
    """No report is under way any more."""
    last: Counter[tuple[str, ...]] | None = None

    async def unchanged() -> bool:
        nonlocal last
        previous, last = last, await counts(sandbox)
        await asyncio.sleep(0.5)  # more than Envoy's flush interval
        return previous == last

    await until(unchanged, bool, "the counts stay the same")


async def test_a_header_routes_past_the_weights(pods: None, gateway: httpx.AsyncClient):
    answers = [(await gateway.get("/", headers={"x-arm": "canary"})).text for _ in range(20)]
    assert set(answers) == {"2.0"}


@pytest.mark.parametrize("name", ["web-1.shop", "web-1.shop.svc", "web-1.shop.svc.cluster.local"])
async def test_in_cluster_names_answer_through_the_proxy(sandbox: Sandbox, pods: None, name: str):
    proxy = sandbox.network.url("proxy", names.PROXY_PORT)
    async with httpx.AsyncClient(proxy=proxy, trust_env=False, timeout=30) as client:
        assert (await client.get(f"http://{name}/")).text == "1.0"


async def test_a_name_that_is_no_service_is_refused_at_once(sandbox: Sandbox):
    proxy = sandbox.network.url("proxy", names.PROXY_PORT)
    async with httpx.AsyncClient(proxy=proxy, trust_env=False, timeout=30) as client:
        assert (await client.get("http://example.com/")).status_code == 502


async def test_a_dead_pod_fails_at_once_and_counts_against_its_version(
    sandbox: Sandbox, gateway: httpx.AsyncClient
):
    with serving(sandbox.network, "web-1"):
        await settled(sandbox)
        before = await counts(sandbox)
        answer = await gateway.get("/", headers={"x-arm": "canary"})
        assert answer.status_code == 503
        await counted(sandbox, before, {("source", "2.0", "503", "URX,UF", "web-2"): 1})


async def test_a_service_without_pods_fails_and_is_counted_for_the_service(
    sandbox: Sandbox, gateway: httpx.AsyncClient
):
    await settled(sandbox)
    before = await counts(sandbox)
    assert (await gateway.get("/empty")).status_code == 503
    await counted(sandbox, before, {("source", "unknown", "503", "UH", "empty"): 1})


@pytest.mark.parametrize("part", ["istiod", "mesh-relay"])
async def test_traffic_goes_on_without_istiod_or_relay_and_follows_them_when_they_are_back(
    sandbox: Sandbox, pods: None, api: Api, gateway: httpx.AsyncClient, part: str
):
    await cluster.apply(api, split(0))
    await in_force(gateway, "1.0")
    sandbox.kill(part)
    assert {(await gateway.get("/")).status_code for _ in range(50)} == {200}
    sandbox.processes.ensure(sandbox.parts[part])
    await cluster.apply(api, split(100))
    await in_force(gateway, "2.0")


async def test_envoy_accepted_everything_istiod_sent(sandbox: Sandbox):
    """Also what the tests above made istiod send."""
    for host in ("gateway", "proxy"):
        admin = sandbox.network.url(host, names.ADMIN_PORT)
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{admin}/stats?filter=update_(rejected|success)")
        lines = (line.split(": ") for line in answer.text.splitlines())
        values = {name: int(value) for name, value in lines}
        assert any(value for name, value in values.items() if name.endswith("update_success"))
        assert not [name for name, value in values.items() if value and "rejected" in name]
