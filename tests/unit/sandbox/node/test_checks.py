"""Probes and hooks really ask the process."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.node.checks import Checker, Result
from sandbox.node.probes import Action, Exec, HttpGet, Sleep, TcpSocket

HOST = "127.0.0.1"


@pytest.fixture
async def checker() -> AsyncIterator[Checker]:
    checker = Checker()
    yield checker
    await checker.close()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server that answers /STATUS with that status, and /never never."""
    hanging = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split()[1].decode().lstrip("/")
        if path == "never":
            await hanging.wait()
        else:
            answer = f"HTTP/1.1 {path} x\r\nContent-Length: 0\r\nX-Saw: {len(head)}\r\n\r\n"
            writer.write(answer.encode())
        writer.close()

    server = await asyncio.start_server(handle, HOST, 0)
    yield server.sockets[0].getsockname()[1]
    hanging.set()
    server.close()


async def ask(checker: Checker, action: Action, folder: Path, seconds: float = 30) -> Result:
    return await checker.run(action, seconds, {"PATH": os.defpath, "CODE": "4"}, folder)


@pytest.mark.parametrize(
    ("status", "ok"), [(200, True), (204, True), (302, True), (404, False), (503, False)]
)
async def test_http_statuses_up_to_399_pass(
    checker: Checker, port: int, tmp_path: Path, status: int, ok: bool
):
    action = HttpGet(f"http://{HOST}:{port}/{status}", {"X-Probe": "1"})
    assert await ask(checker, action, tmp_path) == Result(ok, f"HTTP {status}")


async def test_no_answer_in_time_fails_and_says_so(checker: Checker, port: int, tmp_path: Path):
    result = await ask(checker, HttpGet(f"http://{HOST}:{port}/never", {}), tmp_path, 0.1)
    assert result == Result(False, "no answer within 0.1 s")


async def test_a_closed_port_fails(checker: Checker, port: int, tmp_path: Path):
    free = await asyncio.start_server(lambda _r, _w: None, HOST, 0)
    closed = free.sockets[0].getsockname()[1]
    free.close()
    assert (await ask(checker, TcpSocket(HOST, port), tmp_path)).ok
    assert not (await ask(checker, TcpSocket(HOST, closed), tmp_path)).ok
    assert not (await ask(checker, HttpGet(f"http://{HOST}:{closed}/", {}), tmp_path)).ok


async def test_commands_run_with_the_containers_environment(checker: Checker, tmp_path: Path):
    assert (await ask(checker, Exec(["true"]), tmp_path)).ok
    result = await ask(checker, Exec(["sh", "-c", "exit $CODE"]), tmp_path)
    assert result == Result(False, "exit code 4")


async def test_a_command_that_takes_too_long_is_ended(checker: Checker, tmp_path: Path):
    action = Exec(["sh", "-c", "echo $$ > pid; exec sleep 600"])
    result = await ask(checker, action, tmp_path, 1)
    assert not result.ok
    pid = int((tmp_path / "pid").read_text())
    assert not Path(f"/proc/{pid}").exists()


async def test_an_unknown_command_fails_by_name(checker: Checker, tmp_path: Path):
    result = await ask(checker, Exec(["nosuchcommand"]), tmp_path)
    assert not result.ok
    assert "nosuchcommand" in result.message


async def test_sleeping_passes(checker: Checker, tmp_path: Path):
    assert (await ask(checker, Sleep(0), tmp_path)).ok
