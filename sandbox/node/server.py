"""The node's own HTTP endpoint: GET /healthz for the supervisor, GET /pods for people."""

import asyncio
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

REQUEST_SECONDS = 5
MOST_HEAD_BYTES = 16 * 1024


class Node(Protocol):
    """What is served: the Agent."""

    @property
    def synced(self) -> bool: ...
    def health(self) -> dict[str, Any]: ...
    def summary(self) -> list[dict[str, Any]]: ...


async def serve(agent: Node, address: str, port: int) -> asyncio.Server:
    """Start to listen. Raises OSError when the address is taken."""

    def health() -> tuple[HTTPStatus, Any]:
        # Once in sync it stays healthy: it reconnects by itself, and a supervisor that
        # replaced it while the API server is away would restart every pod for nothing.
        status = HTTPStatus.OK if agent.synced else HTTPStatus.SERVICE_UNAVAILABLE
        return status, agent.health()

    routes = {"/healthz": health, "/pods": lambda: (HTTPStatus.OK, agent.summary())}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answer(head, routes))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a caller that broke off or sent no request: nothing to answer
        finally:
            writer.close()

    return await asyncio.start_server(handle, address, port, limit=MOST_HEAD_BYTES)


def _answer(head: bytes, routes: dict[str, Callable[[], tuple[HTTPStatus, Any]]]) -> bytes:
    method, _, rest = head.decode("latin-1").partition(" ")
    path = rest.partition(" ")[0].partition("?")[0]
    if path not in routes:
        status, content = HTTPStatus.NOT_FOUND, {"error": f"try {' or '.join(routes)}"}
    elif method != "GET":
        status, content = HTTPStatus.METHOD_NOT_ALLOWED, {"error": "only GET"}
    else:
        status, content = routes[path]()
    body = json.dumps(content, indent=1).encode() + b"\n"
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        "",
        "",
    )
    return "\r\n".join(lines).encode() + body
