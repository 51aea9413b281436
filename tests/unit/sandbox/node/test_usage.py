"""What a container uses is what its processes use, all of them and no others."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.node.usage import Usage, by_session

MIB = 2**20
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
# The shell's child holds memory and has used CPU time; a child of it did so and has ended.
BUSY = """
import subprocess, sys, time
burn = "import time\\nwhile time.process_time() < 0.3: pass"
kept = b"x" * (64 << 20)
subprocess.run([sys.executable, "-c", burn], check=True)
exec(burn)
print("busy", flush=True)
time.sleep(600)
"""


@pytest.fixture
def busy() -> Iterator[int]:
    """The session of a shell that waits for a busy process."""
    with subprocess.Popen(
        ["sh", "-c", '"$0" -c "$1"; true', sys.executable, BUSY],
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as shell:
        assert shell.stdout
        assert shell.stdout.readline() == b"busy\n"
        yield shell.pid
        os.killpg(shell.pid, 9)


def test_a_session_has_the_memory_and_cpu_time_of_all_its_processes(busy: int):
    usage = by_session()[busy]
    assert 64 * MIB < usage.memory < 256 * MIB
    assert usage.cpu >= 0.5  # in whole ticks, and neither alone has it


NAMES = st.binary(max_size=15).filter(lambda name: b"\0" not in name)


@given(st.lists(st.tuples(NAMES, st.sampled_from((7, 8))), max_size=5))
def test_sessions_are_told_apart_whatever_their_processes_are_called(
    tmp_path_factory: pytest.TempPathFactory, processes: list[tuple[bytes, int]]
):
    """A process may call itself `) R 1 2 3`."""
    proc = tmp_path_factory.mktemp("proc")
    (proc / "meminfo").touch()
    for pid, (name, session) in enumerate(processes, start=1):
        folder = proc / str(pid)
        folder.mkdir()
        (folder / "stat").write_bytes(stat(pid, name, session))
    members = [session for _, session in processes]
    assert by_session(proc) == {
        session: Usage(memory=3 * PAGE * members.count(session), cpu=2.0 * members.count(session))
        for session in set(members)
    }


def stat(pid: int, name: bytes, session: int) -> bytes:
    """A process of three pages that used a second, and its ended children another."""
    before = b"S 1 1 %d 0 -1 0 0 0 0 0" % session
    cpu = b"%d 0 0 %d" % (TICKS, TICKS)
    return b"%d (%s) %s %s 20 0 1 0 99 4096 3 18446744073709551615\n" % (pid, name, before, cpu)


def test_a_process_that_ends_while_it_is_read_does_not_count(tmp_path: Path):
    (tmp_path / "42").mkdir()  # its stat is gone
    assert by_session(tmp_path) == {}
