"""The load is steady, survives the gateway, and writes what callers saw for others to read."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.load import generator
from sandbox.load.client import Target
from sandbox.load.generator import Generator

HOST = "127.0.0.1"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(generator, "STATE_SECONDS", 0.02)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(OK)
    except asyncio.IncompleteReadError:
        writer.close()


async def until(state: Path, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first state for which it holds; the test's own timeout ends this."""
    while True:
        hosts = json.loads(state.read_text())["hosts"] if state.exists() else {}
        if hosts and true(hosts):
            return hosts
        await asyncio.sleep(0.02)


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def test_each_host_gets_its_rate_and_its_counts(tmp_path: Path):
    server = await asyncio.start_server(answer, HOST, 0)
    target = Target(HOST, server.sockets[0].getsockname()[1])
    state = tmp_path / "load.json"
    load = asyncio.create_task(Generator(target, {"a": 200, "b": 50}, "/", state).run())
    hosts = await until(state, lambda hosts: hosts["b"]["total"] >= 25)
    await stop(load)
    server.close()
    assert hosts["a"]["rate"] == 200
    assert 3 < hosts["a"]["total"] / hosts["b"]["total"] < 5
    assert hosts["a"]["statuses"] == {"200": hosts["a"]["total"]}


async def test_it_goes_on_when_the_gateway_comes_back(tmp_path: Path):
    server = await asyncio.start_server(answer, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    state = tmp_path / "load.json"
    load = asyncio.create_task(Generator(Target(HOST, port), {"a": 100}, "/", state).run())
    await until(state, lambda hosts: hosts["a"]["errors"].get("connect", 0) >= 3)
    server = await asyncio.start_server(answer, HOST, port)
    await until(state, lambda hosts: hosts["a"]["statuses"].get("200", 0) >= 3)
    await stop(load)
    server.close()


async def test_a_gateway_that_hangs_is_not_buried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(generator, "MOST_WAITING", 4)
    calls = 0
    hanging = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        await hanging.wait()
        writer.close()

    server = await asyncio.start_server(hang, HOST, 0)
    target = Target(HOST, server.sockets[0].getsockname()[1])
    state = tmp_path / "load.json"
    load = asyncio.create_task(Generator(target, {"a": 200}, "/", state).run())
    await until(state, lambda hosts: hosts["a"]["dropped"] >= 10)
    assert calls == 4
    await stop(load)
    hanging.set()
    server.close()


async def test_the_counts_are_written_once_more_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    server = await asyncio.start_server(answer, HOST, 0)
    target = Target(HOST, server.sockets[0].getsockname()[1])
    state = tmp_path / "load.json"
    load = asyncio.create_task(Generator(target, {"a": 200}, "/", state).run())
    await until(state, lambda hosts: hosts["a"]["total"] >= 1)
    state.unlink()
    await stop(load)
    server.close()
    assert json.loads(state.read_text())["hosts"]["a"]["total"] >= 1
    assert list(tmp_path.iterdir()) == [state]
