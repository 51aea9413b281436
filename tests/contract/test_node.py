"""The node stand-in against a real API server, controller manager, kube-state-metrics and
Prometheus.
"""

import asyncio
import base64
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

from components import conventions
from sandbox import cluster, controlplane, kube_state_metrics, ports, prometheus
from sandbox.layout import Layout
from sandbox.network import Network, port_is_free
from sandbox.node.process import process as node_process
from sandbox.process import Process, Processes

Manifest = dict[str, Any]
NAMESPACE = "default"
SECONDS = 60
MIB = 2**20


@dataclass(frozen=True)
class Sandbox:
    """A control plane, a node and what watches both, in a folder of their own."""

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

    async def measured(self, promql: str) -> list[Manifest]:
        """What Prometheus finds, as soon as it finds anything: {metric, value: [time, text]}."""
        url = f"{self.network.url('prometheus', ports.PROMETHEUS)}/api/v1/query"
        deadline = time.monotonic() + SECONDS
        async with httpx.AsyncClient(trust_env=False) as client:
            while True:
                answer = (await client.get(url, params={"query": promql})).raise_for_status()
                if found := answer.json()["data"]["result"]:
                    return found
                if time.monotonic() > deadline:
                    pytest.fail(f"not within {SECONDS} s in Prometheus: {promql}")
                await asyncio.sleep(0.2)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    layout = Layout(state=tmp_path_factory.mktemp("clone"))
    layout.binaries.symlink_to(Layout().binaries)
    network = layout.network()
    processes = Processes(layout.sandbox)
    etcd, apiserver, controller_manager = controlplane.processes(layout, network)
    node = node_process(network, layout.kubeconfig, layout.sandbox)
    watching = kube_state_metrics.process(layout, network), prometheus.process(layout, network)
    started = [etcd, apiserver, controller_manager, node, *watching]
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

    async def event(self, pod: str, reason: str) -> Manifest:
        """The pod's first event of this reason. It may come a little after the status."""
        selector = {"fieldSelector": f"involvedObject.name={pod},reason={reason}"}
        while True:
            async with self._api.call_api(
                "GET", namespace=NAMESPACE, url="events", params=selector
            ) as response:
                if found := response.json()["items"]:
                    return found[0]
            await asyncio.sleep(0.1)

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


def released(name: str, version: str, **container: Any) -> Manifest:
    """A pod as a release makes it: with its version, and annotated to be scraped."""
    manifest = pod(name, **web(**container))
    manifest["metadata"]["labels"]["version"] = version
    scraped = {conventions.SCRAPE: "true", conventions.SCRAPE_PORT: "8080"}
    manifest["metadata"]["annotations"] = scraped
    return manifest


def service(name: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": name}},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": "http"}]},
    }


def secret(name: str, key: str, value: str) -> Manifest:
    data = {key: base64.b64encode(value.encode()).decode()}
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}


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
    await api.event("crashing", "BackOff")


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


async def test_a_secret_that_comes_later_is_mounted_and_followed(sandbox: Sandbox, api: Cluster):
    # It ends when it has seen both of what its Secret holds in turn.
    script = "for word in one two; do until grep -qx $word $FILE; do sleep 0.1; done; done"
    source = {"secretName": "login", "items": [{"key": "password", "path": "word"}]}
    await api.create(
        pod(
            "reading",
            command=["sh", "-c", script],
            env=[{"name": "FILE", "value": "/etc/app/login/word"}],
            volumeMounts=[{"name": "login", "mountPath": "/etc/app/login", "readOnly": True}],
            spec={"restartPolicy": "Never", "volumes": [{"name": "login", "secret": source}]},
        )
    )
    mount = await api.event("reading", "FailedMount")
    assert mount["message"] == "volume login: secret login does not exist"
    pods = await api.until("reading", lambda pods: reason(pods) == "ContainerCreating")
    assert pods[0]["status"]["phase"] == "Pending"

    await api.create(secret("login", "password", "one"))
    await api.until("reading", lambda pods: pods[0]["status"]["phase"] == "Running")
    [folder] = (sandbox.kubeconfig.parent / "pods").glob("*_reading/volumes/*/login")
    assert (folder / "word").read_text() == "one"
    await api.create(secret("login", "password", "two"))
    await api.until("reading", lambda pods: pods[0]["status"]["phase"] == "Succeeded")
    # Nothing of it stays on the disk.
    while folder.exists():  # noqa: ASYNC110
        await asyncio.sleep(0.1)


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


async def test_above_its_memory_limit_a_container_is_killed_and_everybody_can_see_it(
    sandbox: Sandbox, api: Cluster
):
    env = [{"name": "LEAK_MIB_PER_SECOND", "value": "20"}]
    resources = {"limits": {"memory": "160Mi"}}
    await api.create(released("leaking", "1.2.0-leak", env=env, resources=resources))

    pods = await api.until("leaking", lambda pods: "terminated" in state(pods).get("lastState", {}))
    ended = state(pods)["lastState"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)
    assert state(pods)["restartCount"] >= 1

    # As queries tell a canary from stable: by the pod's version.
    version = "* on (namespace, pod) group_left (label_version) kube_pod_labels"
    reason = "kube_pod_container_status_last_terminated_reason"
    [killed] = await sandbox.measured(
        f'({reason}{{pod="leaking",reason="OOMKilled"}} {version}) == 1'
    )
    assert killed["metric"]["label_version"] == "1.2.0-leak"
    restarts = "kube_pod_container_status_restarts_total"
    [restarted] = await sandbox.measured(f'({restarts}{{pod="leaking"}} {version}) >= 1')
    assert restarted["metric"]["container"] == "app"
    # It had grown before it was killed, and Prometheus saw it near its limit.
    working_set = 'container_memory_working_set_bytes{pod="leaking",container="app"}'
    ratio = f"{working_set} / container_spec_memory_limit_bytes"
    await sandbox.measured(f"max_over_time(({ratio})[5m:1s]) > 0.5")


async def test_a_crash_loop_is_in_prometheus(sandbox: Sandbox, api: Cluster):
    env = [{"name": "CRASH_AFTER_SECONDS", "value": "0.2"}]
    await api.create(released("looping", "1.3.0-crash", env=env))
    await api.until("looping", lambda pods: reason(pods) == "CrashLoopBackOff")
    waiting = 'kube_pod_container_status_waiting_reason{pod="looping",reason="CrashLoopBackOff"}'
    [found] = await sandbox.measured(f"{waiting} == 1")
    assert found["metric"]["namespace"] == NAMESPACE
    why = "kube_pod_container_status_last_terminated_reason"
    await sandbox.measured(f'{why}{{pod="looping",reason="Error"}} == 1')


async def test_what_containers_use_is_in_prometheus_as_the_kubelet_tells_it(
    sandbox: Sandbox, api: Cluster
):
    resources = {"limits": {"memory": "256Mi"}}
    await api.create(released("using", "1.0.0-fine", resources=resources))
    await api.until("using", ready)
    of_pod = f'namespace="{NAMESPACE}",pod="using"'
    of_app = f'{of_pod},container="app"'
    [used] = await sandbox.measured(f"container_memory_working_set_bytes{{{of_app}}}")
    assert 10 * MIB < float(used["value"][1]) < 256 * MIB
    labels = used["metric"]
    assert labels["image"] == "sluice/demo-app:1.0.0"
    assert (labels["job"], labels["metrics_path"]) == ("kubelet", "/metrics/cadvisor")
    limits = await sandbox.measured(f"container_spec_memory_limit_bytes{{{of_pod}}}")
    assert {float(each["value"][1]) for each in limits} == {256 * MIB}
    # One of the container, and one of the pod, as on a cluster.
    assert {each["metric"].get("container", "") for each in limits} == {"app", ""}
    await sandbox.measured(f"container_cpu_usage_seconds_total{{{of_app}}} > 0")


async def test_an_apps_own_metrics_carry_its_pods_name_and_version(sandbox: Sandbox, api: Cluster):
    env = [{"name": "ORDER_FAILURE_RATIO", "value": "1"}]
    await api.create(released("selling", "1.4.0-orders", env=env))
    [found] = await api.until("selling", ready)
    url = f"http://{sandbox.network.loopback(found['status']['podIP'])}:8080/"
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(3):
            assert (await client.get(url)).is_success
    selected = '{pod="selling",app="selling",version="1.4.0-orders",namespace="default"}'
    [orders] = await sandbox.measured(f"orders_total{selected} == 3")
    assert orders["metric"]["outcome"] == "failed"
    [requests] = await sandbox.measured(f"http_requests_total{selected} == 3")
    assert requests["metric"]["status_code"] == "200"
    buckets = await sandbox.measured(f"http_request_duration_seconds_bucket{selected}")
    assert {"0.25", "+Inf"} <= {each["metric"]["le"] for each in buckets}
