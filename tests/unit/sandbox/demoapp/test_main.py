"""The demo app as a process."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]


@pytest.fixture
def address() -> Iterator[str]:
    """Where it serves."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    environment = os.environ | {"HOST": "127.0.0.1", "PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", "sandbox.demoapp"], env=environment, cwd=ROOT)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def test_a_proxys_connection_is_not_closed_while_nobody_uses_it(address: str) -> None:
    """A request on its way into one that is being closed would be lost."""
    connection = connected(address)
    for wait in (0, 6):  # seconds; of itself the server would give up after five
        time.sleep(wait)
        connection.request("GET", "/")
        assert connection.getresponse().read()


def connected(address: str) -> http.client.HTTPConnection:
    deadline = time.monotonic() + 60
    while True:
        connection = http.client.HTTPConnection(address, timeout=10)
        try:
            connection.connect()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the demo app did not start"
            time.sleep(0.05)
        else:
            return connection
