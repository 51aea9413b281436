"""The node's side of the API server: watch pods, bind, publish status, remove, tell events.

Every call survives an API server that is away: it is asked again until it answers.
"""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import kr8s
from kr8s.asyncio import Api

from sandbox.node.environment import EnvironmentFault
from sandbox.node.status import timestamp

Manifest = Mapping[str, Any]
T = TypeVar("T")

NODE = "sandbox"
REQUEST_SECONDS = 15
WATCH_SECONDS = 60  # then the same watch goes on; finds a connection that died silently
RETRY_SECONDS = (0.25, 0.5, 1, 2)
EVENTS_WAITING = 1000

REFUSED = (httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY)
TROUBLE = (httpx.HTTPError, kr8s.ServerError, kr8s.APITimeoutError, OSError)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listing:
    """Every pod there is: the start of a watch, and again after an interruption."""

    pods: list[Manifest]


@dataclass(frozen=True)
class Change:
    """One pod was ADDED, MODIFIED or DELETED."""

    kind: str
    pod: Manifest


class ApiServer:
    def __init__(self, api: Api):
        self._api = api
        self._events: asyncio.Queue[Manifest] = asyncio.Queue(EVENTS_WAITING)
        self.connected = False

    @classmethod
    async def connect(cls, kubeconfig: Path) -> "ApiServer":
        async def connect() -> Api:
            return await kr8s.asyncio.api(kubeconfig=str(kubeconfig))

        api = await _insist("connecting", connect)
        api.timeout = httpx.Timeout(REQUEST_SECONDS)
        return cls(api)

    async def watch(self) -> AsyncIterator[Listing | Change]:
        """All pods, for ever. A Listing comes first and after every interruption."""
        failures = 0
        while True:
            try:
                listing = await self._request("GET", "pods")
                if failures:
                    log.info("watching again")
                self.connected = True
                failures = 0
                yield Listing(listing["items"])
                async for change in self._changes(listing["metadata"]["resourceVersion"]):
                    yield change
            except TROUBLE as error:
                self.connected = False
                await _wait("watch of the pods", failures, error)
                failures += 1

    async def bind(self, pod: Manifest) -> None:
        """Schedule the pod onto this node."""
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": NODE},
        }
        await self._upon(pod, "POST", "/binding", body)

    async def publish(self, pod: Manifest, status: Manifest) -> bool:
        """Write the pod's status; False when that pod no longer exists."""
        body = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": status}
        return await self._upon(pod, "PATCH", "/status", body)

    async def remove(self, pod: Manifest) -> None:
        """Delete the object of a pod whose containers have ended."""
        uid = pod["metadata"]["uid"]
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
        await self._upon(pod, "DELETE", "", body)

    async def data(self, kind: str, namespace: str, name: str) -> dict[str, str] | None:
        """The data of a ConfigMap or Secret ("configmaps", "secrets"); None when absent.

        Raises EnvironmentFault when the API server does not answer.
        """
        try:
            found = await self._request("GET", f"{kind}/{name}", namespace=namespace)
        except kr8s.ServerError as error:
            if _code(error) == httpx.codes.NOT_FOUND:
                return None
            raise EnvironmentFault(f"{kind} {name}: {error}") from error
        except TROUBLE as error:
            raise EnvironmentFault(f"{kind} {name}: {_why(error)}") from error
        data = found.get("data", {})
        if kind == "secrets":
            return {key: base64.b64decode(value).decode() for key, value in data.items()}
        return data

    async def secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        """What is in a Secret now; None when there is none of that name."""

        async def ask() -> Manifest | None:
            try:
                return await self._request("GET", f"secrets/{name}", namespace=namespace)
            except kr8s.ServerError as error:
                if _code(error) == httpx.codes.NOT_FOUND:
                    return None
                raise

        found = await _insist(f"reading secret {namespace}/{name}", ask)
        if found is None:
            return None
        return {key: base64.b64decode(value) for key, value in found.get("data", {}).items()}

    def event(self, pod: Manifest, kind: str, reason: str, message: str) -> None:
        """Tell an event on the pod, as far as the API server takes it."""
        metadata = pod["metadata"]
        now = timestamp(datetime.now(UTC))
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "generateName": f"{metadata['name']}.",
                "namespace": metadata["namespace"],
            },
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                **{key: metadata[key] for key in ("name", "namespace", "uid")},
            },
            "type": kind,
            "reason": reason,
            "message": message,
            "source": {"component": "sandbox-node", "host": NODE},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        log.info("%s: %s: %s", _path(pod), reason, message)
        if not self._events.full():
            self._events.put_nowait(event)

    async def send_events(self) -> None:
        """Write the events told; for ever. One that is refused is dropped, as a kubelet does."""
        while True:
            event = await self._events.get()
            namespace = event["metadata"]["namespace"]
            try:
                await self._request("POST", "events", event, namespace=namespace)
            except TROUBLE as error:
                log.warning("event %s dropped: %s", event["reason"], _why(error))

    async def register(self, node: Manifest) -> None:
        """Create the Node object or bring it up to date."""
        path = f"nodes/{NODE}"
        identity = {key: value for key, value in node.items() if key != "status"}

        async def ask() -> None:
            existing = await self._request("GET", path, raise_for_status=False)
            if existing["kind"] != "Node":
                await self._request("POST", "nodes", identity)
            # Admission taints a new node as not ready; on a cluster a controller takes it off.
            await self._request("PATCH", path, {"spec": {"taints": None}})
            await self._request("PATCH", f"{path}/status", {"status": node["status"]})

        await _insist("registering the node", ask)

    async def _changes(self, version: str) -> AsyncIterator[Change]:
        while True:
            params = {
                "watch": "true",
                "resourceVersion": version,
                "allowWatchBookmarks": "true",
                "timeoutSeconds": str(WATCH_SECONDS),
            }
            timeout = httpx.Timeout(REQUEST_SECONDS, read=WATCH_SECONDS + REQUEST_SECONDS)
            async with self._api.call_api(
                "GET", url="pods", params=params, stream=True, timeout=timeout
            ) as response:
                async for line in response.aiter_lines():
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        log.info("watch starts anew: %s", event["object"].get("message"))
                        return
                    version = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] != "BOOKMARK":
                        yield Change(event["type"], event["object"])

    async def _upon(self, pod: Manifest, method: str, suffix: str, body: Manifest) -> bool:
        """Ask something of a pod; False when it no longer exists. A refusal is logged."""
        namespace, path = pod["metadata"]["namespace"], f"{_path(pod)}{suffix}"
        # Else a conflict means that another pod has the name, or that this one is bound;
        # of a patch it only means that somebody wrote at the same time.
        gone = {httpx.codes.NOT_FOUND} | ({httpx.codes.CONFLICT} if method != "PATCH" else set())

        async def ask() -> bool:
            try:
                await self._request(method, path, body, namespace=namespace)
            except kr8s.ServerError as error:
                if _code(error) in gone:
                    return False
                if _code(error) not in REFUSED:
                    raise
                log.warning("%s %s was refused: %s", method, path, error)
            return True

        return await _insist(f"{method} {path}", ask)

    async def _request(
        self,
        method: str,
        url: str,
        body: Manifest | None = None,
        *,
        namespace: str | None = None,
        raise_for_status: bool = True,
    ) -> dict[str, Any]:
        patch = {"Content-Type": "application/strategic-merge-patch+json"}
        async with self._api.call_api(
            method,
            url=url,
            namespace=namespace,
            content=json.dumps(body) if body else None,
            headers=patch if method == "PATCH" else None,
            raise_for_status=raise_for_status,
        ) as response:
            return response.json()


async def _insist(what: str, ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until there is an answer."""
    failures = 0
    while True:
        try:
            return await ask()
        except TROUBLE as error:
            await _wait(what, failures, error)
            failures += 1


async def _wait(what: str, failures: int, error: Exception) -> None:
    """Before it is asked again; says so once per interruption."""
    if failures == 0:
        log.warning("%s failed, trying until the API server is back: %s", what, _why(error))
    await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])


def _path(pod: Manifest) -> str:
    return f"pods/{pod['metadata']['name']}"


def _code(error: kr8s.ServerError) -> int:
    return error.response.status_code if error.response is not None else 0


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__
