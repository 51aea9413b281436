"""Processes of a benchmark: started on a free loopback port, measured, and stopped by their id."""

import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

_START_SECONDS = 60


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], ready: str, processor: int
) -> Iterator[tuple[str, int]]:
    """Run it on this processor until the block ends; yields its URL and process id once `ready`
    answers.

    "{port}" in the command and the environment becomes the port. Raises RuntimeError with its
    output if it does not start.
    """
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    filled = [part.format(port=port) for part in command]
    env = os.environ | {key: value.format(port=port) for key, value in environment.items()}
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile("w+") as output:
        with _on(processor):
            process = subprocess.Popen(filled, env=env, stdout=output, stderr=output)
        try:
            if not _answers(url + ready, process):
                output.seek(0)
                raise RuntimeError(f"{filled[0]} did not start:\n{output.read()}")
            yield url, process.pid
        finally:
            process.terminate()
            process.wait()


def two_processors() -> tuple[int, int]:
    """Raises RuntimeError on a machine that has one."""
    first, *others = sorted(os.sched_getaffinity(0))
    if not others:
        raise RuntimeError("this benchmark needs two processors")
    return first, others[0]


@contextmanager
def _on(processor: int) -> Iterator[None]:
    """What is started meanwhile stays there."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {processor})
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 a loopback address
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False


def cpu_seconds(pid: int) -> float:
    """Processor time that the process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_megabytes(pid: int) -> float:
    """The process' resident set, in units of 10^6 bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
