"""One pod: its containers, its status on the API server, its end."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.network import Network
from sandbox.node import environment
from sandbox.node.apiserver import NODE, ApiServer, Manifest
from sandbox.node.cadvisor import Measured, MeasuredPod
from sandbox.node.checks import Checker
from sandbox.node.container import Container, Surroundings
from sandbox.node.folders import Folders
from sandbox.node.status import ContainerState, Waiting, pod_status, recover, timestamp
from sandbox.node.usage import Usage
from sandbox.node.volumes import SecretVolumes

NODE_IP = "10.244.0.1"  # reached, like every pod, at the same place in the loopback network
# Besides Secrets, volumes whose absence no process notices, or that this machine has anyway.
KNOWN_VOLUMES = {"name", "secret", "emptyDir", "projected", "downwardAPI"}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Host:
    """What all pods of the node share."""

    network: Network
    folders: Folders
    server: ApiServer
    checker: Checker


class Pod:
    """Runs from construction on; `terminate` or `abandon` ends it."""

    def __init__(self, manifest: Manifest, ip: str, host: Host):
        known = manifest.get("status", {})
        now = datetime.now(UTC)
        addresses = {
            "podIP": ip,
            "hostIP": NODE_IP,
            "startTime": known.get("startTime", timestamp(now)),
        }
        self.ip = ip
        self._manifest = {**manifest, "status": {**known, **addresses}}
        self._conditions = known.get("conditions", [])
        self._host = host
        metadata = manifest["metadata"]
        self.title = f"{metadata['namespace']}/{metadata['name']}"
        self.folder = host.folders.of(metadata["namespace"], metadata["name"])
        self._changed = asyncio.Event()
        self._closing = False
        self._ending: asyncio.Task[None] | None = None
        spec = manifest["spec"]
        policy = spec.get("restartPolicy", "Always")
        init_policy = "OnFailure" if policy == "Always" else policy
        first = Waiting("PodInitializing") if spec.get("initContainers") else Waiting()
        recorded = _recorded(known)
        volumes = spec.get("volumes", [])
        # By its uid: a pod of the same name may follow while this one ends.
        place = self.folder / "volumes" / metadata["uid"]
        self._volumes = SecretVolumes(volumes, place, self._secret, self._cannot_mount)
        self._init = [
            self._container(each, init_policy, first, recorded, now)
            for each in spec.get("initContainers", ())
        ]
        self._main = [
            self._container(each, policy, first, recorded, now) for each in spec["containers"]
        ]
        self._tell_ignored_volumes(volumes)
        self._work = asyncio.create_task(self._run(), name=f"run {self.title}")
        self._publishing = asyncio.create_task(self._publish(), name=f"publish {self.title}")

    def terminate(self, grace: float) -> None:
        """Stop the containers as their specification says, then remove the pod. Returns at once."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._terminate(grace), name=f"end {self.title}")

    async def abandon(self, grace: float = 0) -> None:
        """End the processes without a word to the API server."""
        if self._ending:
            self._ending.cancel()
        self._publishing.cancel()
        await self._stop(grace)

    def summary(self) -> dict[str, Any]:
        """For people who look at the node: where the pod answers and how it is."""
        status = self._status()
        containers = status["containerStatuses"]
        return {
            "pod": self.title,
            "ip": self.ip,
            "address": self._host.network.loopback(self.ip),
            "phase": status["phase"],
            "ready": all(each["ready"] for each in containers),
            "restarts": sum(each["restartCount"] for each in containers),
            "terminating": self._ending is not None,
            "logs": str(self.folder),
        }

    def measure(self, usage: Mapping[int, Usage]) -> None:
        """Take in what its containers use, by session."""
        for container in (*self._init, *self._main):
            container.measure(usage)

    def measured(self) -> MeasuredPod:
        """What its running containers used when last measured."""
        metadata = self._manifest["metadata"]
        return MeasuredPod(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            containers=[
                Measured(
                    name=each.state.name,
                    image=each.state.image,
                    identity=each.state.identity,
                    usage=each.usage,
                    memory_limit=each.memory_limit,
                )
                for each in (*self._init, *self._main)
                if each.usage
            ],
        )

    async def _run(self) -> None:
        self._changed.set()
        try:
            await self._volumes.settled()
            for container in self._init:
                await container.run()
                if not container.succeeded:
                    return
            await asyncio.gather(*(container.run() for container in self._main))
        except Exception:
            # A fault of ours in one pod must not end the other pods with the node.
            log.exception("pod %s is no longer looked after", self.title)
        finally:
            self._volumes.close()

    async def _terminate(self, grace: float) -> None:
        await self._stop(grace)
        self._closing = True
        self._changed.set()
        await self._publishing
        await self._host.server.remove(self._manifest)

    async def _stop(self, grace: float) -> None:
        await asyncio.gather(*(each.stop(grace) for each in (*self._init, *self._main)))
        self._volumes.close()
        await asyncio.wait([self._work])

    async def _publish(self) -> None:
        """Write the status whenever it changed; changes while one is written become one."""
        published = None
        while not (self._closing and not self._changed.is_set()):
            await self._changed.wait()
            self._changed.clear()
            status = self._status()
            if status == published:
                continue
            if not await self._host.server.publish(self._manifest, status):
                return
            published = status
            self._conditions = status["conditions"]

    def _status(self) -> dict[str, Any]:
        return pod_status(
            self._manifest,
            self._conditions,
            [container.state for container in self._init],
            [container.state for container in self._main],
            datetime.now(UTC),
        )

    def _container(
        self,
        spec: Mapping[str, Any],
        policy: str,
        first: Waiting,
        recorded: Mapping[str, Mapping[str, Any]],
        now: datetime,
    ) -> Container:
        state = ContainerState(spec["name"], spec["image"], first)
        if spec["name"] in recorded:
            state = recover(state, recorded[spec["name"]], now)
        metadata = self._manifest["metadata"]
        grace = self._manifest["spec"].get("terminationGracePeriodSeconds", 30)
        surroundings = Surroundings(
            address=self._host.network.loopback(self.ip),
            folder=self.folder,
            grace=metadata.get("deletionGracePeriodSeconds", grace),
            checker=self._host.checker,
            located=self._volumes.located,
            environment=self._environment,
            changed=self._changed.set,
            event=self._event,
        )
        return Container(spec, policy, state, surroundings)

    async def _environment(self, container: Mapping[str, Any]) -> dict[str, str]:
        metadata = self._manifest["metadata"]
        found = {
            (kind, name): await self._host.server.data(kind, metadata["namespace"], name)
            for kind, name in environment.sources(container)
        }
        given = environment.base(self._host.network, metadata["name"], self.ip, self.folder)
        return environment.resolve(container, self._manifest, found, given)

    async def _secret(self, name: str) -> Mapping[str, bytes] | None:
        return await self._host.server.secret(self._manifest["metadata"]["namespace"], name)

    def _cannot_mount(self, fault: str) -> None:
        self._event("Warning", "FailedMount", fault)

    def _event(self, kind: str, reason: str, message: str) -> None:
        self._host.server.event(self._manifest, kind, reason, message)

    def _tell_ignored_volumes(self, volumes: list[Mapping[str, Any]]) -> None:
        ignored = [each["name"] for each in volumes if set(each) - KNOWN_VOLUMES]
        if ignored:
            message = f"not mounted, because containers are local processes: {', '.join(ignored)}"
            self._event("Warning", "VolumesIgnored", message)


def node_manifest(kubelet_port: int) -> dict[str, Any]:
    """The Node object: ready, with room for everything."""
    now = timestamp(datetime.now(UTC))
    room = {"cpu": "64", "memory": "256Gi", "pods": "10000", "ephemeral-storage": "1Ti"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": NODE,
            "labels": {"kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux"},
        },
        "status": {
            "capacity": room,
            "allocatable": room,
            "addresses": [
                {"type": "InternalIP", "address": NODE_IP},
                {"type": "Hostname", "address": NODE},
            ],
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "reason": "NodeStandInReady",
                    "message": "containers are local processes",
                    "lastHeartbeatTime": now,
                    "lastTransitionTime": now,
                }
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet_port}},
            "nodeInfo": {"kubeletVersion": "v0.0.0-sandbox", "operatingSystem": "linux"},
        },
    }


def _recorded(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {
        each["name"]: each
        for key in ("initContainerStatuses", "containerStatuses")
        for each in status.get(key, ())
    }
