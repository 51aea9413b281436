"""Which workload answers at which loopback address, followed from the API server."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import kr8s
import kr8s.asyncio

from sandbox.mesh.labels import NOBODY, Workload, workload
from sandbox.network import Network

_RETRY_SECONDS = 1.0
_FAULTS = (
    httpx.HTTPError,
    kr8s.APITimeoutError,
    kr8s.ConnectionClosedError,
    kr8s.ServerError,
)

log = logging.getLogger("pods")


class Pods:
    """The workloads by address. An entry outlives its pod until another pod takes the
    address, so that what was under way when the pod went is still counted for it.
    """

    def __init__(self, network: Network, kubeconfig: Path):
        self.network = network
        self.kubeconfig = kubeconfig
        self.known = asyncio.Event()
        self._workloads: dict[str, Workload] = {}

    def learn(self, pod: Mapping[str, Any]) -> None:
        """Take in one pod (its Kubernetes object)."""
        ip = pod.get("status", {}).get("podIP")
        if ip:
            self._workloads[self.network.loopback(ip)] = workload(pod)

    def at(self, address: str) -> Workload:
        return self._workloads.get(address, NOBODY)

    async def follow(self) -> None:
        """Watch all pods for ever; a watch that ends is started again."""
        while True:
            try:
                api = await kr8s.asyncio.api(kubeconfig=str(self.kubeconfig))
                async with api.call_api("GET", url="pods") as response:
                    pods = response.json()
                for pod in pods["items"]:
                    self.learn(pod)
                self.known.set()
                version = pods["metadata"]["resourceVersion"]
                async for _, changed in api.watch("pods", namespace=kr8s.ALL, since=version):
                    self.learn(changed.raw)
            except _FAULTS as error:
                log.warning("no news of pods from the API server: %r", error)
                await asyncio.sleep(_RETRY_SECONDS)
