"""Processes are found, reused, replaced and stopped by what was recorded of them."""

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from sandbox import process as module
from sandbox.errors import SandboxError
from sandbox.process import Process, Processes, http_ready, tcp_ready

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "open(sys.argv[1], 'w').close(); time.sleep(60)"
)


@pytest.fixture
def processes(tmp_path: Path):
    made = Processes(tmp_path)
    yield made
    for record in made.records():
        made.stop(record.name, grace=0.2)


def pid(processes: Processes, name: str = "part") -> int:
    record = processes.find(name)
    assert record
    return record.pid


def test_a_healthy_process_is_left_alone(processes: Processes) -> None:
    assert processes.ensure(Process("part", SLEEP))
    first = pid(processes)
    assert not processes.ensure(Process("part", SLEEP))
    assert pid(processes) == first


def test_another_command_finds_what_an_earlier_one_started(processes: Processes) -> None:
    processes.ensure(Process("part", SLEEP))
    assert Processes(processes.folder).find("part") == processes.find("part")


CHANGES = [{"env": {"A": "1"}}, {"version": "2"}, {"files": {Path("/dev/null"): "new"}}]


@pytest.mark.parametrize("changed", CHANGES)
def test_a_changed_specification_replaces_the_process(processes: Processes, changed: dict) -> None:
    processes.ensure(Process("part", SLEEP))
    first = pid(processes)
    assert processes.ensure(Process("part", SLEEP, **changed))
    assert pid(processes) != first


def test_its_files_are_there_when_it_starts(processes: Processes, tmp_path: Path) -> None:
    file, copy = tmp_path / "etc" / "settings.json", tmp_path / "copy"
    argv = ["sh", "-c", 'cp "$0" "$1" && exec sleep 60', str(file), str(copy)]
    processes.ensure(Process("part", argv, files={file: "new"}, ready=copy.exists))
    assert copy.read_text() == "new"


def test_a_killed_process_is_started_again(processes: Processes) -> None:
    processes.ensure(Process("part", SLEEP))
    os.kill(pid(processes), signal.SIGKILL)
    while processes.find("part"):
        time.sleep(0.01)
    assert processes.ensure(Process("part", SLEEP))


def test_a_process_that_reuses_a_pid_is_not_ours(processes: Processes) -> None:
    """After a reboot the recorded pid may belong to anybody: it must not be signalled."""
    processes.ensure(Process("part", SLEEP))
    real = pid(processes)
    file = processes.folder / "run" / "part.json"
    file.write_text(file.read_text().replace('"born": "', '"born": "another-boot/'))
    assert processes.find("part") is None
    processes.stop("part")
    os.kill(real, 0)
    os.kill(real, signal.SIGKILL)


def test_a_process_that_ignores_sigterm_is_killed(processes: Processes, tmp_path: Path) -> None:
    flag = tmp_path / "ignoring"
    argv = [sys.executable, "-c", STUBBORN, str(flag)]
    processes.ensure(Process("part", argv, ready=flag.exists))
    processes.stop("part", grace=0.2)
    assert processes.find("part") is None


def test_a_process_that_exits_shows_the_end_of_its_log(processes: Processes) -> None:
    failing = [sys.executable, "-c", "raise SystemExit('no such flag: --colour')"]
    with pytest.raises(SandboxError, match=r"(?s)exited.*no such flag: --colour") as error:
        processes.ensure(Process("part", failing, ready=lambda: False))
    assert str(processes.log("part")) in str(error.value)


def test_a_process_that_never_serves_is_stopped_and_said_so(processes: Processes) -> None:
    with pytest.raises(SandboxError, match="part was not ready after 0 s"):
        processes.ensure(Process("part", SLEEP, ready=lambda: False, start_seconds=0.3))
    assert processes.find("part") is None


def test_a_port_in_use_is_named_with_what_to_do(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PORT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(
            SandboxError, match=rf"127.0.0.1:{port}: another process does.*ss -ltnp"
        ):
            processes.ensure(Process("part", SLEEP, listens=[("127.0.0.1", port)]))


def test_a_missing_program_is_an_error_for_a_person(processes: Processes) -> None:
    with pytest.raises(SandboxError, match=r"part cannot be run: .*no-such-program"):
        processes.ensure(Process("part", ["/no-such-program"]))


def test_readiness_of_a_closed_port_is_a_plain_no() -> None:
    assert not Process("part", SLEEP, ready=tcp_ready("127.0.0.1", 1)).answers()
    assert not Process("part", SLEEP, ready=http_ready("http://127.0.0.1:1/healthz")).answers()
