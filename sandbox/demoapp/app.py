"""The demo app as an ASGI application: /healthz, /readyz; every other path is the work."""

import asyncio
import json
from http import HTTPStatus
from random import Random
from typing import Any

from sandbox.demoapp.behaviour import decide
from sandbox.demoapp.inventory import Inventory
from sandbox.demoapp.settings import Settings


class DemoApp:
    """`draining` makes it unready and asks callers to open no further request on a connection."""

    def __init__(self, settings: Settings, chance: Random):
        self.draining = False
        self._settings = settings
        self._chance = chance
        self._inventory = Inventory(settings) if settings.inventory_url else None

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        status, content = await self._answer(scope["path"])
        body = json.dumps(content).encode() + b"\n"
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        if self.draining:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def close(self) -> None:
        if self._inventory:
            self._inventory.close()

    async def _answer(self, path: str) -> tuple[HTTPStatus, dict[str, str]]:
        if path == "/healthz":
            return HTTPStatus.OK, {"status": "alive"}
        if path == "/readyz":
            if self.draining:
                return HTTPStatus.SERVICE_UNAVAILABLE, {"status": "draining"}
            return HTTPStatus.OK, {"status": "ready"}
        return await self._work()

    async def _work(self) -> tuple[HTTPStatus, dict[str, str]]:
        who = {"version": self._settings.version, "pod": self._settings.pod}
        if self._inventory and (fault := await self._inventory.fault()):
            return HTTPStatus.BAD_GATEWAY, {**who, "error": fault}
        outcome = decide(self._settings, self._chance)
        await asyncio.sleep(outcome.seconds)
        return outcome.status, who
