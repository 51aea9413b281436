"""What one client can cost: bounded size and time of a request, and so many at once."""

import asyncio
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plugin.api.errors import Refuse

MAX_REQUEST_BYTES = 64 * 1024
MAX_UNDER_WAY = 128
"""What one process computes within a second or two. Beyond it the controllers would have hung up
by the time of the answer, and asked again."""
BODY_SECONDS = 5.0


class RequestLimits:
    """Refuses what is too much, and says so at once.

    A refusal is a 503 that decides nothing: Argo asks again after ten seconds, Flagger at its next
    tick. Only the API is limited: probes and metrics are answered whatever the load. `under_way` is
    told how many questions there are whenever that changes.
    """

    def __init__(self, app: ASGIApp, refuse: Refuse, under_way: Callable[[int], None]) -> None:
        self._app = app
        self._refuse = refuse
        self._tell = under_way
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        if self._under_way >= MAX_UNDER_WAY:
            answer = self._refuse(
                503, None, f"{MAX_UNDER_WAY} questions are under way: ask again, or add replicas"
            )
            answer.headers["Retry-After"] = "1"
            await answer(scope, receive, send)
            return
        self._count(1)
        try:
            await self._app(scope, _bounded(receive), send)
        finally:
            self._count(-1)

    def _count(self, more: int) -> None:
        self._under_way += more
        self._tell(self._under_way)


def _bounded(receive: Receive) -> Receive:
    """Stops reading a body that is larger or slower than any question."""
    received, complete = 0, False
    deadline = asyncio.get_running_loop().time() + BODY_SECONDS

    async def bounded() -> Message:
        nonlocal received, complete
        try:
            async with asyncio.timeout_at(None if complete else deadline):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, f"send a request within {BODY_SECONDS:g} s") from None
        received += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if received > MAX_REQUEST_BYTES:
            raise HTTPException(413, f"a request has at most {MAX_REQUEST_BYTES >> 10} KiB")
        return message

    return bounded
