"""The node: follows all pods of the API server, schedules them onto itself and runs them."""

import asyncio
from typing import Any

from sandbox.node import cadvisor, usage
from sandbox.node.addresses import Addresses
from sandbox.node.apiserver import NODE, Change, Listing, Manifest
from sandbox.node.pod import Host, Pod

# The sandbox goes down in seconds; its pods get this long to finish what they do.
SHUTDOWN_GRACE_SECONDS = 3
# A process may be above its memory limit for this long; the kernel would not wait.
MEASURE_SECONDS = 0.5
OVER = ("Succeeded", "Failed")


class Agent:
    """`synced` once the pods of the API server have been seen."""

    def __init__(self, host: Host, node: Manifest):
        self._host = host
        self._node = node
        self._pods: dict[str, Pod] = {}
        self._addresses = Addresses()
        self._endings: set[asyncio.Task[None]] = set()
        self.synced = False

    async def run(self) -> None:
        """Follow the pods for ever; at cancellation stop every process."""
        try:
            async for seen in self._host.server.watch():
                match seen:
                    case Listing(pods):
                        await self._host.server.register(self._node)
                        await self._list(pods)
                    case Change("DELETED", pod):
                        self._forget(pod["metadata"]["uid"])
                    case Change(_, pod):
                        await self._observe(pod)
        finally:
            pods = self._pods.values()
            await asyncio.gather(*(pod.abandon(SHUTDOWN_GRACE_SECONDS) for pod in pods))

    async def measure(self) -> None:
        """Measure all containers for ever, and hold them to their memory limits."""
        while True:
            measured = usage.by_session()
            for pod in self._pods.values():
                pod.measure(measured)
            await asyncio.sleep(MEASURE_SECONDS)

    def health(self) -> dict[str, Any]:
        return {"synced": self.synced, "connected": self._host.server.connected}

    def summary(self) -> list[dict[str, Any]]:
        return [pod.summary() for pod in self._pods.values()]

    def metrics(self) -> bytes:
        return cadvisor.page(pod.measured() for pod in self._pods.values())

    async def _list(self, pods: list[Manifest]) -> None:
        # Addresses first: none of them may be handed to a new pod.
        for pod in pods:
            status = pod.get("status", {})
            if "podIP" in status and status.get("phase") not in OVER:
                self._addresses.reserve(status["podIP"])
        for uid in self._pods.keys() - {pod["metadata"]["uid"] for pod in pods}:
            self._forget(uid)
        if not self.synced:
            # Their pods were gone before this node started.
            metadata = [pod["metadata"] for pod in pods]
            self._host.folders.prune([(each["namespace"], each["name"]) for each in metadata])
        for pod in pods:
            await self._observe(pod)
        self.synced = True

    async def _observe(self, manifest: Manifest) -> None:
        metadata, spec = manifest["metadata"], manifest["spec"]
        if "nodeName" not in spec:
            await self._host.server.bind(manifest)
            return
        if spec["nodeName"] != NODE:
            return
        uid = metadata["uid"]
        deleted = "deletionTimestamp" in metadata
        over = manifest.get("status", {}).get("phase") in OVER
        if uid not in self._pods:
            if deleted:
                # What it ran ended with an earlier node.
                await self._host.server.remove(manifest)
                return
            if over:
                return
            address = manifest.get("status", {}).get("podIP") or self._addresses.take()
            self._pods[uid] = Pod(manifest, address, self._host)
        elif deleted:
            self._pods[uid].terminate(metadata.get("deletionGracePeriodSeconds", 30))

    def _forget(self, uid: str) -> None:
        pod = self._pods.pop(uid, None)
        if pod is None:
            return
        task = asyncio.create_task(self._end(pod), name=f"forget {pod.title}")
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    async def _end(self, pod: Pod) -> None:
        await pod.abandon()
        self._addresses.free(pod.ip)
        # Another pod may have taken its name meanwhile, and with it the folder.
        if pod.folder not in {each.folder for each in self._pods.values()}:
            self._host.folders.leave(pod.folder)
