"""The demo app as it runs in a pod: a process that is asked over HTTP and told to stop."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[4]
HOST = "127.0.0.1"


class Service:
    """One started demo app."""

    def __init__(self, **environment: str):
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        given = {"HOST": HOST, "PORT": str(self.port), "DRAIN_SECONDS": "0", **environment}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.demoapp"],
            env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), **given},
        )

    def wait_for(self, true: Callable[[], bool]) -> None:
        """The test's own timeout ends this; a process that died is an error at once."""
        while self.process.poll() is None:
            try:
                if true():
                    return
            except httpx.TransportError:
                pass  # not listening yet
            time.sleep(0.02)
        pytest.fail(f"the demo app ended with exit code {self.process.returncode}")

    def get(self, path: str = "/") -> httpx.Response:
        return httpx.get(self.url + path, trust_env=False)


@pytest.fixture
def start() -> Iterator[Callable[..., Service]]:
    services: list[Service] = []

    def start_one(**environment: str) -> Service:
        service = Service(**environment)
        services.append(service)
        service.wait_for(lambda: service.get("/readyz").is_success)
        return service

    yield start_one
    for service in services:
        service.process.kill()
        service.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def test_every_path_answers_with_version_and_pod(start: Callable[..., Service]):
    service = start(VERSION="1.1.0-0a1b2c3d", HOSTNAME="checkout-1")
    for path in ("/", "/cart/7"):
        answer = service.get(path)
        assert answer.status_code == 200
        assert answer.json() == {"version": "1.1.0-0a1b2c3d", "pod": "checkout-1"}


def test_a_failing_release_is_alive_and_ready_all_the_same(start: Callable[..., Service]):
    service = start(ERROR_RATIO="1", VERSION="bad")
    assert service.get("/healthz").status_code == 200
    answer = service.get()
    assert answer.status_code == 500
    assert answer.json()["version"] == "bad"


def test_a_slow_release_takes_its_time(start: Callable[..., Service]):
    service = start(SLOW_RATIO="1", SLOW_MS="300")
    assert service.get().elapsed.total_seconds() >= 0.3


def test_calls_go_through_the_dependency(start: Callable[..., Service]):
    inventory = start()
    checkout = start(INVENTORY_URL=inventory.url)
    assert checkout.get().status_code == 200
    failing = start(ERROR_RATIO="1")
    broken = start(INVENTORY_URL=failing.url)
    answer = broken.get()
    assert answer.status_code == 502
    assert answer.json()["error"] == "inventory: HTTP 500"


def test_an_absent_dependency_is_a_bad_gateway_that_says_why(start: Callable[..., Service]):
    checkout = start(INVENTORY_URL=f"http://{HOST}:{free_port()}/")
    answer = checkout.get()
    assert answer.status_code == 502
    assert answer.json()["error"].startswith("inventory: connect: ")


@pytest.mark.parametrize("path", ["", "/", "/stock"])
async def test_the_dependency_is_called_through_the_proxy(start: Callable[..., Service], path: str):
    """In-cluster names resolve only there: it is asked for the whole URL, never without a path."""
    asked: asyncio.Queue[bytes] = asyncio.Queue()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.put_nowait(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(proxy, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    url = f"http://inventory.shop.svc{path}"
    checkout = await asyncio.to_thread(start, INVENTORY_URL=url, HTTP_PROXY=f"http://{HOST}:{port}")
    assert (await asyncio.to_thread(checkout.get)).status_code == 200
    lines = (await asked.get()).split(b"\r\n")
    server.close()
    assert lines[0] == f"GET http://inventory.shop.svc{path or '/'} HTTP/1.1".encode()
    assert b"Host: inventory.shop.svc" in lines


def test_told_to_stop_it_is_unready_first_and_serves_on(start: Callable[..., Service]):
    service = start(DRAIN_SECONDS="600")
    service.process.send_signal(signal.SIGTERM)
    service.wait_for(lambda: service.get("/readyz").status_code == 503)
    answer = service.get()
    assert answer.status_code == 200
    assert answer.headers["connection"] == "close"


async def test_requests_in_flight_are_finished_and_the_end_is_clean(
    start: Callable[..., Service],
):
    service = start(SLOW_RATIO="1", SLOW_MS="2000", DRAIN_SECONDS="1")
    async with httpx.AsyncClient(trust_env=False) as client:
        call = asyncio.create_task(client.get(service.url))
        await asyncio.sleep(0.3)
        service.process.send_signal(signal.SIGTERM)
        assert (await call).status_code == 200
    assert await asyncio.to_thread(service.process.wait) == 0


def test_a_wrong_setting_ends_it_with_a_message_and_no_traceback():
    result = subprocess.run(
        [sys.executable, "-m", "sandbox.demoapp"],
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), "ERROR_RATIO": "5%"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "ERROR_RATIO=5%: must be a ratio from 0 to 1" in result.stderr
    assert "Traceback" not in result.stderr
