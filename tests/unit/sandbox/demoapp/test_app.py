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
from prometheus_client.parser import text_string_to_metric_families

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


Sample = tuple[str, frozenset[tuple[str, str]], float]


def samples(service: Service) -> set[Sample]:
    """What the service exposes: names, labels and values."""
    families = text_string_to_metric_families(service.get("/metrics").text)
    return {
        (sample.name, frozenset(sample.labels.items()), sample.value)
        for family in families
        for sample in family.samples
    }


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


def test_its_metrics_count_the_work_only_and_as_prom_client_does(start: Callable[..., Service]):
    service = start()
    for path in ("/", "/cart/7", "/healthz", "/metrics"):
        service.get(path)
    labels = {"method": "GET", "route": "/*", "status_code": "200"}
    assert samples(service) >= {
        ("http_requests_total", frozenset(labels.items()), 2),
        ("http_request_duration_seconds_count", frozenset(labels.items()), 2),
        ("http_request_duration_seconds_bucket", frozenset((labels | {"le": "10.0"}).items()), 2),
        ("orders_total", frozenset({"outcome": "accepted"}.items()), 2),
    }
    # One more time series per counter and label set would only cost Prometheus memory.
    assert not [name for name, _, _ in samples(service) if name.endswith("_created")]


def test_a_failing_order_is_seen_in_no_status(start: Callable[..., Service]):
    service = start(ORDER_FAILURE_RATIO="1")
    assert service.get().status_code == 200
    assert ("orders_total", frozenset({"outcome": "failed"}.items()), 1) in samples(service)


def test_a_request_that_fails_places_no_order(start: Callable[..., Service]):
    service = start(ERROR_RATIO="1", ORDER_FAILURE_RATIO="1")
    service.get()
    found = {name: dict(labels) for name, labels, _ in samples(service)}
    assert found["http_requests_total"]["status_code"] == "500"
    assert "orders_total" not in found


def test_it_leaks_resident_memory(start: Callable[..., Service]):
    service = start(LEAK_MIB_PER_SECOND="200")

    def resident() -> int:
        pages = Path(f"/proc/{service.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    before = resident()
    service.wait_for(lambda: resident() > before + 60 * 2**20)


def test_it_crashes_without_a_goodbye(start: Callable[..., Service]):
    service = start(CRASH_AFTER_SECONDS="0.5", DRAIN_SECONDS="600")
    assert service.process.wait() == 1


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
