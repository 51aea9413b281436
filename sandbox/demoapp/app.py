"""The demo app as an ASGI application: /healthz, /readyz, /metrics; every other path is the
work.
"""

import asyncio
import json
import time
from http import HTTPStatus
from random import Random
from typing import Any

from sandbox.demoapp import metrics
from sandbox.demoapp.behaviour import decide
from sandbox.demoapp.inventory import Inventory
from sandbox.demoapp.metrics import Metrics
from sandbox.demoapp.settings import Settings

_JSON = b"application/json"


class DemoApp:
    """`draining` makes it unready and asks callers to open no further request on a connection."""

    def __init__(self, settings: Settings, chance: Random):
        self.draining = False
        self._settings = settings
        self._chance = chance
        self._metrics = Metrics()
        self._inventory = Inventory(settings) if settings.inventory_url else None

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        path = scope["path"]
        if path == metrics.PATH:
            status, content_type, body = HTTPStatus.OK, metrics.CONTENT_TYPE, self._metrics.page()
        else:
            status, content = self._health(path) or await self._counted_work(scope["method"])
            content_type, body = _JSON, json.dumps(content).encode() + b"\n"
        headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
        if self.draining:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def close(self) -> None:
        if self._inventory:
            self._inventory.close()

    def _health(self, path: str) -> tuple[HTTPStatus, dict[str, str]] | None:
        if path == "/healthz":
            return HTTPStatus.OK, {"status": "alive"}
        if path == "/readyz":
            if self.draining:
                return HTTPStatus.SERVICE_UNAVAILABLE, {"status": "draining"}
            return HTTPStatus.OK, {"status": "ready"}
        return None

    async def _counted_work(self, method: str) -> tuple[HTTPStatus, dict[str, str]]:
        started = time.perf_counter()
        status, content = await self._work()
        self._metrics.request(method, status, time.perf_counter() - started)
        return status, content

    async def _work(self) -> tuple[HTTPStatus, dict[str, str]]:
        who = {"version": self._settings.version, "pod": self._settings.pod}
        if self._inventory and (fault := await self._inventory.fault()):
            return HTTPStatus.BAD_GATEWAY, {**who, "error": fault}
        outcome = decide(self._settings, self._chance)
        await asyncio.sleep(outcome.seconds)
        if outcome.status is HTTPStatus.OK:
            self._metrics.order(failed=outcome.order_failed)
        return outcome.status, who
