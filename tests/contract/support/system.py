"""The whole sandbox under test: its processes, its objects, and how to break them."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from kr8s.asyncio import Api

from components import conventions
from components.manifests.manifest import Manifest
from sandbox import cluster, lifecycle, prometheus
from sandbox.layout import Layout
from sandbox.load.process import process as load_process
from sandbox.mesh.names import GATEWAY_PORT, PROXY_PORT
from sandbox.network import Network
from sandbox.process import Processes

SECONDS = 120  # for whatever is awaited: far more than it takes on a busy machine
POLL_SECONDS = 0.25

Object = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Kind:
    """One collection of the API server."""

    version: str
    plural: str


ANALYSIS_RUN = Kind("argoproj.io/v1alpha1", "analysisruns")
ROLLOUT = Kind("argoproj.io/v1alpha1", "rollouts")
CANARY = Kind("flagger.app/v1beta1", "canaries")
VIRTUAL_SERVICE = Kind("networking.istio.io/v1", "virtualservices")
DEPLOYMENT = Kind("apps/v1", "deployments")
NAMESPACE = Kind("v1", "namespaces")
POD = Kind("v1", "pods")
SECRET = Kind("v1", "secrets")
EVENT = Kind("v1", "events")


async def until(look: Callable[[], Awaitable[T]], holds: Callable[[T], object], what: str) -> T:
    """What `look` finds, as soon as `holds` is true for it."""
    deadline = time.monotonic() + SECONDS
    while True:
        found = await look()
        if holds(found):
            return found
        if time.monotonic() > deadline:
            text = json.dumps(found, indent=1, default=str)
            pytest.fail(f"not within {SECONDS} s: {what}; last seen: {text}")
        await asyncio.sleep(POLL_SECONDS)


class Objects:
    """The API server's objects."""

    def __init__(self, api: Api):
        self._api = api

    async def apply(self, *manifests: Manifest | Object) -> None:
        for manifest in manifests:
            body = manifest.body if isinstance(manifest, Manifest) else manifest
            await cluster.apply(self._api, body)

    async def get(self, kind: Kind, namespace: str, name: str) -> Object:
        return await self._call("GET", kind, namespace, name)

    async def list(self, kind: Kind, namespace: str, **labels: str) -> list[Object]:
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        found = await self._call("GET", kind, namespace, params={"labelSelector": selector})
        return found["items"]

    async def patch(self, kind: Kind, namespace: str, name: str, change: Object) -> None:
        await self._call(
            "PATCH",
            kind,
            namespace,
            name,
            json=change,
            headers={"Content-Type": "application/merge-patch+json"},
        )

    async def delete(self, kind: Kind, namespace: str | None, name: str) -> None:
        await self._call("DELETE", kind, namespace, name)

    async def _call(
        self, method: str, kind: Kind, namespace: str | None, name: str = "", **more: Any
    ) -> Object:
        url = f"{kind.plural}/{name}".rstrip("/")
        async with self._api.call_api(
            method, version=kind.version, namespace=namespace, url=url, **more
        ) as response:
            return response.json()


class System:
    """The running sandbox. What blocks runs in a thread: the load of a test must not stall."""

    def __init__(self, layout: Layout, network: Network):
        self.layout, self.network = layout, network
        self._processes = Processes(layout.sandbox)

    async def up(self) -> None:
        """Start again whatever does not run."""
        await asyncio.to_thread(lifecycle.up, self.layout, print)

    @asynccontextmanager
    async def without(self, name: str) -> AsyncIterator[None]:
        """It is stopped meanwhile. Whatever comes of the test, those after it find it again."""
        await self._stop(name)
        try:
            yield
        finally:
            await self.up()

    def kill(self, name: str) -> None:
        """SIGKILL, without warning."""
        record = self._processes.find(name)
        assert record, f"{name} does not run"
        os.kill(record.pid, signal.SIGKILL)

    @contextmanager
    def hanging(self, name: str) -> Iterator[None]:
        """It keeps its connections and answers nothing."""
        record = self._processes.find(name)
        assert record, f"{name} does not run"
        os.kill(record.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(record.pid, signal.SIGCONT)

    async def load(self, rates: dict[str, float]) -> None:
        """Steady load through the gateway from now on: requests per second by host."""
        if not rates:
            await self._stop("load")
            return
        target = self.network.url("gateway", GATEWAY_PORT)
        process = load_process(target, rates, self.layout.sandbox / "load.json")
        await asyncio.to_thread(self._processes.ensure, process)

    async def _stop(self, name: str) -> None:
        await asyncio.to_thread(self._processes.stop, name)

    async def judge_answers(self) -> bool:
        """Whether the judge answers under its in-cluster name, as the controllers call it."""
        async with self._mesh() as client:
            return (await client.get(f"{conventions.JUDGE_URL}/readyz")).is_success

    async def verdict(self, question: Object) -> Object:
        """What the judge says now."""
        async with self._mesh() as client:
            url = f"{conventions.JUDGE_URL}{conventions.VERDICT_PATH}"
            return (await client.post(url, json=question)).raise_for_status().json()

    async def query(self, promql: str) -> list[float]:
        """What Prometheus says to it now."""
        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"{prometheus.url(self.network)}/api/v1/query"
            answer = (await client.get(url, params={"query": promql})).raise_for_status().json()
        return [float(found["value"][1]) for found in answer["data"]["result"]]

    def _mesh(self) -> httpx.AsyncClient:
        """A caller for whom the mesh resolves in-cluster names."""
        proxy = self.network.url("proxy", PROXY_PORT)
        return httpx.AsyncClient(proxy=proxy, trust_env=False, timeout=10)

    def flagger_said(self, canary: str, namespace: str) -> list[str]:
        """Flagger's events about one Canary, oldest first, from its log: the API server keeps
        only the first few dozen of an object.
        """
        # What follows the last newline is still being written.
        *lines, _ = self._processes.log("flagger").read_text().split("\n")
        # Its libraries write plain text to the same place.
        entries = [json.loads(line) for line in lines if line.startswith("{")]
        return [entry["msg"] for entry in entries if entry.get("canary") == f"{canary}.{namespace}"]


def process_of(pod: str) -> int:
    """The pid of the process that runs as this pod."""
    wanted = f"HOSTNAME={pod}".encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                environment = (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue  # it has ended, or is somebody else's
            if wanted in environment:
                return int(folder.name)
    pytest.fail(f"no process runs as pod {pod}")
