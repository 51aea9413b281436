"""Local processes: start one and wait until it is healthy, find it again, stop it.

There is no supervisor process that could itself be killed. What runs is recorded in
one file per process (pid, kernel start time, digest of its specification), so any
later command finds, reuses, replaces or stops exactly the processes it started:
by id, never by name.
"""

import hashlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx

from sandbox.errors import SandboxError
from sandbox.layout import ROOT
from sandbox.network import port_is_free

POLL_SECONDS = 0.05
PORT_SECONDS = 3
LOG_TAIL_LINES = 15


@dataclass(frozen=True)
class Process:
    """What to run. `listens` are the (address, port) pairs that must be free before the
    start; `ready` answers whether the process serves; `files` are written before the start;
    `version` is anything else whose change must replace a running process.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)
    listens: Sequence[tuple[str, int]] = ()
    ready: Callable[[], bool] = lambda: True
    start_seconds: float = 60
    stop_seconds: float = 10
    version: str = ""

    @property
    def digest(self) -> str:
        files = {str(path): text for path, text in self.files.items()}
        spec = [list(self.argv), dict(sorted(self.env.items())), files, self.version]
        return hashlib.sha256(json.dumps(spec).encode()).hexdigest()[:16]

    def answers(self) -> bool:
        """Whether it is ready now; a refused connection is a plain no."""
        try:
            return self.ready()
        except (httpx.HTTPError, OSError):
            return False


@dataclass(frozen=True)
class Record:
    """A started process as written to disk."""

    name: str
    pid: int
    born: str
    digest: str

    def alive(self) -> bool:
        return _born(self.pid) == self.born


class Processes:
    """The processes of one sandbox, kept under `folder` (run/NAME.json, logs/NAME.log)."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.home = folder / "home"
        for part in ("run", "logs", "home"):
            (folder / part).mkdir(parents=True, exist_ok=True)

    def log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    def records(self) -> list[Record]:
        """Every process that was started and not stopped since, oldest first."""
        files = sorted((self.folder / "run").glob("*.json"), key=os.path.getmtime)
        return [_read(file) for file in files]

    def find(self, name: str) -> Record | None:
        """The living process of that name, or None."""
        file = self._file(name)
        record = _read(file) if file.exists() else None
        return record if record and record.alive() else None

    def ensure(self, process: Process) -> bool:
        """Make it run and be ready; True when it had to be started.

        A healthy process with the same specification is left alone; a changed or
        unhealthy one is replaced. Raises SandboxError with the end of the log.
        """
        running = self.find(process.name)
        if running and running.digest == process.digest and process.answers():
            return False
        if running:
            self.stop(process.name, process.stop_seconds)
        for address, port in process.listens:
            _wait_free(process.name, address, port)
        record = self._spawn(process)
        self._wait(process, record)
        return True

    def stop(self, name: str, grace: float = 10) -> None:
        """SIGTERM to the whole group, SIGKILL after `grace` seconds; forget the record."""
        record = self.find(name)
        if record:
            _signal(record.pid, signal.SIGTERM)
            deadline = time.monotonic() + grace
            while record.alive() and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
            if record.alive():
                _signal(record.pid, signal.SIGKILL)
                while record.alive():
                    time.sleep(POLL_SECONDS)
        self._file(name).unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self.folder / "run" / f"{name}.json"

    def _spawn(self, process: Process) -> Record:
        for path, text in process.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        log = self.log(process.name)
        if log.exists():
            log.replace(log.with_suffix(".previous.log"))
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            # Keeps caches and settings of every tool inside the clone.
            "HOME": str(self.home),
            **process.env,
        }
        with log.open("ab") as output:
            try:
                child = subprocess.Popen(
                    list(process.argv),
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=self.folder,
                    start_new_session=True,
                )
            except OSError as error:
                raise SandboxError(f"{process.name} cannot be run: {error}") from error
        record = Record(process.name, child.pid, _born(child.pid) or "", process.digest)
        # At once, or a command that is killed here leaves half a record.
        draft = self._file(process.name).with_suffix(".new")
        draft.write_text(json.dumps(asdict(record)))
        draft.replace(self._file(process.name))
        return record

    def _wait(self, process: Process, record: Record) -> None:
        deadline = time.monotonic() + process.start_seconds
        while time.monotonic() < deadline:
            if not record.alive():
                raise SandboxError(self._failure(process, "exited while starting"))
            if process.answers():
                return
            time.sleep(POLL_SECONDS)
        self.stop(process.name)
        raise SandboxError(
            self._failure(process, f"was not ready after {process.start_seconds:.0f} s")
        )

    def _failure(self, process: Process, what: str) -> str:
        log = self.log(process.name)
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
        return f"{process.name} {what}. The end of {log}:\n{tail}"


def sources(*packages: str) -> str:
    """A digest of these packages' Python files, as the `version` of a process that runs them:
    edited code replaces the running process.
    """
    files = sorted(file for package in packages for file in (ROOT / package).rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _read(file: Path) -> Record:
    return Record(**json.loads(file.read_text()))


def http_ready(url: str) -> Callable[[], bool]:
    """Ready when GET `url` answers 2xx."""

    def ask() -> bool:
        # trust_env: a proxy variable of the caller must not catch loopback traffic.
        with httpx.Client(trust_env=False, timeout=2, verify=False) as client:  # noqa: S501
            return client.get(url).is_success

    return ask


def tcp_ready(address: str, port: int) -> Callable[[], bool]:
    """Ready when a connection is accepted."""

    def ask() -> bool:
        with socket.create_connection((address, port), timeout=1):
            return True

    return ask


def _wait_free(name: str, address: str, port: int) -> None:
    """The sockets of a large process outlive its kill by a moment."""
    deadline = time.monotonic() + PORT_SECONDS
    while not port_is_free(address, port):
        if time.monotonic() > deadline:
            raise SandboxError(
                f"{name} cannot listen on {address}:{port}: another process does. "
                f"Find it with `ss -ltnp 'sport = :{port}'` and stop it, then try again."
            )
        time.sleep(POLL_SECONDS)


def _born(pid: int) -> str | None:
    """The boot and the clock tick at which a process started: with the pid these name one
    process for ever. None when there is no such process or it is a zombie.
    """
    try:
        # Field 2 is "(command)" and may hold spaces; fields are counted after it.
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return None if state == "Z" else f"{boot}/{fields[18]}"


def _signal(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
