"""What one client can cost: a request that is too much is refused, and nobody else suffers."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from plugin.api import limits
from plugin.api.app import create_app
from plugin.settings import Settings


class Slow:
    """Answers once it is let go."""

    def __init__(self, traffic: Any) -> None:
        self._traffic = traffic
        self.asked = asyncio.Semaphore(0)
        self.go = asyncio.Event()

    async def query_range(self, query: Any) -> Any:
        self.asked.release()
        await self.go.wait()
        return await self._traffic.query_range(query)

    async def query(self, text: str) -> Any:
        return await self._traffic.query(text)


@pytest.fixture
def slow(traffic: Any) -> Slow:
    return Slow(traffic)


@pytest.fixture
async def judge(slow: Slow) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Settings.model_validate({"prometheus_url": "http://127.0.0.1:1"}), slow)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://judge") as client:
        yield client


async def test_too_many_at_once_are_asked_to_come_again(
    judge: httpx.AsyncClient, slow: Slow, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 503 decides nothing: Argo counts an error, and to Flagger's rollback hook it is a no."""
    monkeypatch.setattr(limits, "MAX_UNDER_WAY", 3)
    waiting = [asyncio.create_task(judge.post("/v1/verdict", json=asked)) for _ in range(3)]
    for _ in waiting:
        await slow.asked.acquire()
    hook = {"name": "n", "namespace": "shop", "phase": "Progressing"}
    hook["metadata"] = {"request": json.dumps(asked)}  # pyright: ignore[reportArgumentType]
    for path, body in (("/v1/verdict", asked), ("/v1/flagger/rollback", hook)):
        refused = await judge.post(path, json=body)
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "1"
        assert "add replicas" in refused.json()["error"]["message"]
    assert (await judge.get("/readyz")).status_code == 200
    metrics = (await judge.get("/metrics")).text
    assert 'sluice_refused_requests_total{status="503"} 2.0' in metrics
    slow.go.set()
    assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [200] * 3
    assert (await judge.post("/v1/verdict", json=asked)).status_code == 200


async def test_who_hangs_up_makes_room(
    judge: httpx.AsyncClient, slow: Slow, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_UNDER_WAY", 1)
    waiting = asyncio.create_task(judge.post("/v1/verdict", json=asked))
    await slow.asked.acquire()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    slow.go.set()
    assert (await judge.post("/v1/verdict", json=asked)).status_code == 200


async def test_a_body_that_does_not_come_is_given_up(
    judge: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.05)

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    headers = {"content-type": "application/json"}
    response = await judge.post("/v1/verdict", content=drip(), headers=headers)
    assert response.status_code == 408


async def test_a_body_that_is_too_large_is_not_read(judge: httpx.AsyncClient) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1024
            yield b" " * 1024

    headers = {"content-type": "application/json"}
    response = await judge.post("/v1/verdict", content=endless(), headers=headers)
    assert response.status_code == 413
    assert read <= limits.MAX_REQUEST_BYTES + 2 * 1024
