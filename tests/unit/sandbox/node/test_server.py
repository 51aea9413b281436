"""The node says whether it is in sync, and what it runs."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from sandbox.node.server import serve

ADDRESS = "127.0.0.1"
PODS = [{"pod": "shop/checkout-1", "address": "127.42.1.1"}]
METRICS = b"container_memory_working_set_bytes 1\n"


class FakeAgent:
    synced = False

    def health(self) -> dict[str, Any]:
        return {"synced": self.synced, "connected": False}

    def summary(self) -> list[dict[str, Any]]:
        return PODS

    def metrics(self) -> bytes:
        return METRICS


@pytest.fixture
def agent() -> FakeAgent:
    return FakeAgent()


@pytest.fixture
async def client(agent: FakeAgent) -> AsyncIterator[httpx.AsyncClient]:
    server = await serve(agent, ADDRESS, 0)
    port = server.sockets[0].getsockname()[1]
    url = f"http://{ADDRESS}:{port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        yield client
    server.close()


async def test_it_is_healthy_once_the_pods_have_been_seen(
    client: httpx.AsyncClient, agent: FakeAgent
):
    assert (await client.get("/healthz")).status_code == 503
    agent.synced = True
    answer = await client.get("/healthz?verbose")
    assert answer.status_code == 200
    assert answer.json() == {"synced": True, "connected": False}


async def test_it_lists_its_pods(client: httpx.AsyncClient):
    assert (await client.get("/pods")).json() == PODS


async def test_prometheus_gets_its_text_format_where_a_kubelet_has_it(client: httpx.AsyncClient):
    answer = await client.get("/metrics/cadvisor")
    assert answer.content == METRICS
    assert answer.headers["content-type"].startswith("text/plain")


async def test_other_paths_and_methods_are_refused_with_a_hint(client: httpx.AsyncClient):
    answer = await client.get("/nowhere")
    assert answer.status_code == 404
    assert "/healthz" in answer.json()["error"]
    assert (await client.post("/pods")).status_code == 405
