"""The node's own HTTP endpoint: GET /healthz for the supervisor, /metrics/cadvisor for
Prometheus, /pods for people.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from prometheus_client import CONTENT_TYPE_LATEST

from sandbox.node import cadvisor

REQUEST_SECONDS = 5
MOST_HEAD_BYTES = 16 * 1024


class Node(Protocol):
    """What is served: the Agent."""

    @property
    def synced(self) -> bool: ...
    def health(self) -> dict[str, Any]: ...
    def summary(self) -> list[dict[str, Any]]: ...
    def metrics(self) -> bytes: ...


@dataclass(frozen=True)
class _Answer:
    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = "application/json"


async def serve(agent: Node, address: str, port: int) -> asyncio.Server:
    """Start to listen. Raises OSError when the address is taken."""

    def health() -> _Answer:
        # Once in sync it stays healthy: it reconnects by itself, and a supervisor that
        # replaced it while the API server is away would restart every pod for nothing.
        status = HTTPStatus.OK if agent.synced else HTTPStatus.SERVICE_UNAVAILABLE
        return _json(agent.health(), status)

    routes = {
        "/healthz": health,
        "/pods": lambda: _json(agent.summary()),
        cadvisor.PATH: lambda: _Answer(agent.metrics(), content_type=CONTENT_TYPE_LATEST),
    }

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_response(head, routes))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a caller that broke off or sent no request: nothing to answer
        finally:
            writer.close()

    return await asyncio.start_server(handle, address, port, limit=MOST_HEAD_BYTES)


def _json(content: Any, status: HTTPStatus = HTTPStatus.OK) -> _Answer:
    return _Answer(json.dumps(content, indent=1).encode() + b"\n", status)


def _response(head: bytes, routes: dict[str, Callable[[], _Answer]]) -> bytes:
    method, _, rest = head.decode("latin-1").partition(" ")
    path = rest.partition(" ")[0].partition("?")[0]
    if path not in routes:
        answer = _json({"error": f"try {' or '.join(routes)}"}, HTTPStatus.NOT_FOUND)
    elif method != "GET":
        answer = _json({"error": "only GET"}, HTTPStatus.METHOD_NOT_ALLOWED)
    else:
        answer = routes[path]()
    lines = (
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        "Connection: close",
        "",
        "",
    )
    return "\r\n".join(lines).encode() + answer.body
