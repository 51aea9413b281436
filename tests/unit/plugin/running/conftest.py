"""The judge as a process, with a stand-in for Prometheus that answers after a while."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[4]
NOTHING = b'{"status":"success","data":{"resultType":"%s","result":[]}}'


class Prometheus(ThreadingHTTPServer):
    """Knows no series; `held` keeps its answers back until it is set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.held = threading.Event()
        self.held.set()
        self.asked = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Prometheus)
        self.server.asked += 1
        self.server.held.wait(30)
        body = NOTHING % (b"matrix" if self.path.endswith("range") else b"vector")
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the test's output clean."""


@pytest.fixture(scope="module")
def prometheus() -> Iterator[Prometheus]:
    with Prometheus() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.held.set()
        server.shutdown()


Start = Callable[[], tuple[str, subprocess.Popen[bytes]]]


@pytest.fixture(scope="module")
def start(prometheus: Prometheus) -> Iterator[Start]:
    """Starts a judge; returns its URL and process."""
    processes: list[subprocess.Popen[bytes]] = []

    def judge() -> tuple[str, subprocess.Popen[bytes]]:
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            port = free.getsockname()[1]
        environment = {
            **{key: value for key, value in os.environ.items() if "PROXY" not in key.upper()},
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "SLUICE_PROMETHEUS_URL": f"http://127.0.0.1:{prometheus.server_port}",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "plugin"], env=environment, cwd=ROOT, stdout=subprocess.DEVNULL
        )
        processes.append(process)
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if httpx.get(f"{url}/readyz", trust_env=False).status_code == 200:
                    return url, process
            except httpx.TransportError:
                time.sleep(0.05)
        pytest.fail("the judge did not start")

    yield judge
    for process in processes:
        process.kill()
        process.wait()
