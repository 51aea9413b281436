"""A real Prometheus of a test's own, with the past that the test gives it."""

import json
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

BINARIES = Path(__file__).parents[3] / ".sluice" / "bin"


def backfill(folder: Path, lines: Iterable[str]) -> None:
    """Put samples in OpenMetrics' text format into the storage that `prometheus` finds there."""
    series = folder / "series.txt"
    series.write_text("\n".join([*lines, "# EOF", ""]))
    create = ["tsdb", "create-blocks-from", "openmetrics", series, folder / "data"]
    subprocess.run([_binary("promtool"), *create], check=True, capture_output=True)


@contextmanager
def prometheus(folder: Path, **configuration: Any) -> Iterator[str]:
    """A Prometheus with its storage in `folder`, and so configured; yields its URL.

    What was there before may be written to it (remote write).
    """
    address, config = f"127.0.0.1:{free_port()}", folder / "prometheus.yml"
    config.write_text(json.dumps(configuration))  # JSON is YAML
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [
                _binary("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
                "--web.enable-remote-write-receiver",
            ],
            stdout=log,
            stderr=log,
        )
    url = f"http://{address}"
    try:
        _wait_until_ready(url, folder / "log")
        yield url
    finally:
        process.terminate()
        process.wait()


def _binary(name: str) -> Path:
    binary = BINARIES / name
    assert binary.exists(), f"{binary} is not built: run `make demo` or `make test` once"
    return binary


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return server.getsockname()[1]


def _wait_until_ready(url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/-/ready", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass  # not listening yet
        time.sleep(0.1)
    pytest.fail(f"Prometheus did not become ready:\n{log.read_text()}")
