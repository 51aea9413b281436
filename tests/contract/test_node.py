"""The node stand-in against a real API server and controller manager."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from kr8s.asyncio import Api

from sandbox import cluster, controlplane
from sandbox.layout import Layout
from sandbox.network import Network, port_is_free
from sandbox.node.process import process as node_process
from sandbox.process import Process, Processes

Manifest = dict[str, Any]
NAMESPACE = "default"
SECONDS = 60


@dataclass(frozen=True)
class Sandbox:
    """A control plane and a node, in a folder of their own."""

    kubeconfig: Path
    network: Network
    processes: Processes
    apiserver: Process
    node: Process

    def restart(self, process: Process) -> None:
        """Kill it without warning and start it again."""
        record = self.processes.find(process.name)
        assert record
        os.kill(record.pid, signal.SIGKILL)
        # The kernel closes the sockets of a large process a moment after its end.
        while not all(port_is_free(address, port) for address, port in process.listens):
            time.sleep(0.05)
        self.processes.ensure(process)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    layout = Layout(state=tmp_path_factory.mktemp("clone"))
    layout.binaries.symlink_to(Layout().binaries)
    network = layout.network()
    processes = Processes(layout.sandbox)
    etcd, apiserver, controller_manager = controlplane.processes(layout, network)
    node = node_process(network, layout.kubeconfig, layout.sandbox)
    started = [etcd, apiserver, controller_manager, node]
    try:
        for process in started:
            processes.ensure(process)
        yield Sandbox(layout.kubeconfig, network, processes, apiserver, node)
    finally:
        for process in reversed(started):
            processes.stop(process.name)


class Cluster:
    """What a test asks of the API server."""

    def __init__(self, api: Api):
        self._api = api

    async def create(self, manifest: Manifest) -> None:
        await cluster.apply(self._api, manifest)

    async def delete(self, pod: str) -> None:
        async with self._api.call_api("DELETE", namespace=NAMESPACE, url=f"pods/{pod}"):
            pass

    async def found(self, kind: str, app: str, version: str = "v1") -> list[Manifest]:
        async with self._api.call_api(
            "GET",
            version=version,
            namespace=NAMESPACE,
            url=kind,
            params={"labelSelector": f"app={app}"},
        ) as response:
            return response.json()["items"]

    async def events(self, pod: str) -> list[Manifest]:
        selector = {"fieldSelector": f"involvedObject.name={pod}"}
        async with self._api.call_api(
            "GET", namespace=NAMESPACE, url="events", params=selector
        ) as response:
            return response.json()["items"]

    async def until(self, app: str, true: Callable[[list[Manifest]], bool]) -> list[Manifest]:
        """The app's pods as soon as it holds for them."""
        deadline = time.monotonic() + SECONDS
        while True:
            pods = await self.found("pods", app)
            if true(pods):
                return pods
            if time.monotonic() > deadline:
                statuses = json.dumps([pod["status"] for pod in pods], indent=1)
                pytest.fail(f"not within {SECONDS} s; the pods' statuses: {statuses}")
            await asyncio.sleep(0.1)


@pytest.fixture
async def api(sandbox: Sandbox) -> AsyncIterator[Cluster]:
    yield Cluster(await cluster.connect(sandbox.kubeconfig))


def pod(name: str, **container: Any) -> Manifest:
    spec = container.pop("spec", {})
    main = {"name": "app", "image": "sluice/demo-app:1.0.0", **container}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": name}},
        "spec": {"containers": [main], **spec},
    }


def deployment(name: str, replicas: int, container: Manifest) -> Manifest:
    labels = {"app": name}
    template = pod(name, **container)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": template["spec"]},
        },
    }


def service(name: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": name}},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": "http"}]},
    }


def web(**more: Any) -> Manifest:
    """A container with everything that a service of the demo has."""
    return {
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [
            {"name": "VERSION", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
            {"name": "DRAIN_SECONDS", "value": "0"},
        ],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}},
        **more,
    }


def ready(pods: list[Manifest]) -> bool:
    return bool(pods) and all(
        {"Ready": "True"}.items()
        <= {c["type"]: c["status"] for c in each["status"].get("conditions", [])}.items()
        for each in pods
    )


def state(pods: list[Manifest]) -> Manifest:
    """The one container of the one pod; empty before it has a status."""
    return next(iter(pods[0]["status"].get("containerStatuses", [])), {}) if pods else {}


def reason(pods: list[Manifest]) -> str:
    return state(pods).get("state", {}).get("waiting", {}).get("reason", "")


async def test_a_deployment_becomes_ready_and_its_pods_answer_at_their_addresses(
    sandbox: Sandbox, api: Cluster
):
    await api.create(deployment("web", 2, web()))
    await api.create(service("web"))
    pods = await api.until("web", lambda pods: len(pods) == 2 and ready(pods))
    addresses = {each["status"]["podIP"] for each in pods}
    assert len(addresses) == 2
    for each in pods:
        url = f"http://{sandbox.network.loopback(each['status']['podIP'])}:8080/"
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = (await client.get(url)).json()
        assert answer == {"version": "web", "pod": each["metadata"]["name"]}
    found: set[str] = set()
    while found != addresses:
        slices = await api.found("endpointslices", "web", "discovery.k8s.io/v1")
        endpoints = [each for item in slices for each in item["endpoints"] or []]
        found = {each["addresses"][0] for each in endpoints if each["conditions"]["ready"]}


async def test_a_deleted_pod_ends_and_its_object_goes(sandbox: Sandbox, api: Cluster):
    await api.create(pod("leaving", **web()))
    [found] = await api.until("leaving", ready)
    await api.delete("leaving")
    await api.until("leaving", lambda pods: not pods)
    url = f"http://{sandbox.network.loopback(found['status']['podIP'])}:8080/"
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_an_unknown_image_is_shown_on_the_pod(api: Cluster):
    await api.create(pod("unknown", image="nginx:1.27"))
    pods = await api.until("unknown", lambda pods: reason(pods) == "ErrImagePull")
    assert '"nginx:1.27"' in state(pods)["state"]["waiting"]["message"]
    assert pods[0]["status"]["phase"] == "Pending"


async def test_a_crash_loop_is_shown_with_restarts_and_the_last_exit_code(api: Cluster):
    await api.create(pod("crashing", command=["sh", "-c", "exit 3"]))
    pods = await api.until("crashing", lambda pods: reason(pods) == "CrashLoopBackOff")
    assert state(pods)["restartCount"] == 1
    assert state(pods)["lastState"]["terminated"]["exitCode"] == 3
    # Events are written beside the status, so this one may come a little later.
    while "BackOff" not in {event["reason"] for event in await api.events("crashing")}:  # noqa: ASYNC110
        await asyncio.sleep(0.1)


async def test_a_pod_that_is_done_succeeds(api: Cluster):
    init = {"name": "first", "image": "sluice/demo-app:1", "command": ["touch", "made"]}
    spec = {"restartPolicy": "Never", "initContainers": [init]}
    await api.create(pod("done", command=["test", "-e", "made"], spec=spec))
    [found] = await api.until("done", lambda pods: pods[0]["status"]["phase"] == "Succeeded")
    assert found["status"]["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


async def test_an_environment_from_a_config_map_that_comes_later(api: Cluster):
    source = {"configMapKeyRef": {"name": "settings", "key": "code"}}
    await api.create(
        pod(
            "configured",
            command=["sh", "-c", "exit $CODE"],
            env=[{"name": "CODE", "valueFrom": source}],
            spec={"restartPolicy": "Never"},
        )
    )
    pods = await api.until("configured", lambda pods: reason(pods) == "CreateContainerConfigError")
    assert "configmaps settings does not exist" in state(pods)["state"]["waiting"]["message"]
    metadata = {"name": "settings", "namespace": NAMESPACE}
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    await api.create({**settings, "data": {"code": "7"}})
    pods = await api.until("configured", lambda pods: "terminated" in state(pods)["state"])
    assert state(pods)["state"]["terminated"]["exitCode"] == 7


async def test_pods_outlive_an_api_server_that_is_killed(sandbox: Sandbox, api: Cluster):
    await api.create(pod("steady", **web()))
    before = state(await api.until("steady", ready))["containerID"]
    await asyncio.to_thread(sandbox.restart, sandbox.apiserver)
    await api.create(pod("afterwards", **web()))
    await api.until("afterwards", ready)
    after = state(await api.until("steady", ready))
    assert (after["containerID"], after["restartCount"]) == (before, 0)


async def test_a_killed_node_starts_its_pods_again_at_their_addresses(
    sandbox: Sandbox, api: Cluster
):
    await api.create(pod("returning", **web()))
    [before] = await api.until("returning", ready)
    await asyncio.to_thread(sandbox.restart, sandbox.node)
    [after] = await api.until(
        "returning", lambda pods: state(pods)["restartCount"] == 1 and ready(pods)
    )
    assert after["status"]["podIP"] == before["status"]["podIP"]
    assert state([after])["lastState"]["terminated"]["reason"] == "NodeRestarted"
