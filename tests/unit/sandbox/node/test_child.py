"""A child process ends as asked, takes what it started with it, and never outlives the node."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.node.child import Child

ENV = {"PATH": os.defpath}


def start(folder: Path, script: str) -> Child:
    return Child(["sh", "-c", script], ENV, folder, folder / "app.log")


def gone(pid: int) -> bool:
    """Whether the process has ended (a zombie has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def test_the_exit_code_the_output_and_the_folder(tmp_path: Path):
    child = start(tmp_path, "pwd; echo problem >&2; exit 3")
    assert await child.wait() == 3
    assert child.ended
    assert (tmp_path / "app.log").read_text() == f"{tmp_path}\nproblem\n"


async def test_a_later_run_appends_to_the_log(tmp_path: Path):
    await start(tmp_path, "echo one").wait()
    await start(tmp_path, "echo two").wait()
    assert (tmp_path / "app.log").read_text() == "one\ntwo\n"


async def test_stop_sends_sigterm_and_the_process_may_finish(tmp_path: Path):
    child = start(tmp_path, "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done")
    await written(tmp_path / "app.log", "up")
    await child.stop(grace=30)
    assert await child.wait() == 0
    assert "bye" in (tmp_path / "app.log").read_text()


async def test_stop_kills_what_does_not_end_in_its_grace(tmp_path: Path):
    child = start(tmp_path, "trap '' TERM; echo up; while :; do sleep 0.05; done")
    await written(tmp_path / "app.log", "up")
    await child.stop(grace=0.1)
    assert await child.wait() == -signal.SIGKILL


async def test_what_the_process_started_ends_with_it(tmp_path: Path):
    await start(tmp_path, "sleep 600 & echo $!").wait()
    grandchild = int((tmp_path / "app.log").read_text())
    await until(lambda: gone(grandchild))


async def test_a_program_that_does_not_exist_is_an_error(tmp_path: Path):
    with pytest.raises(OSError, match="nosuchprogram"):
        Child(["nosuchprogram"], ENV, tmp_path, tmp_path / "app.log")


def test_a_killed_node_takes_its_processes_with_it(tmp_path: Path):
    program = (
        "import asyncio, pathlib; from sandbox.node.child import Child\n"
        "async def main():\n"
        "    folder = pathlib.Path('.')\n"
        "    child = Child(['sleep', '600'], {'PATH': '/bin:/usr/bin'}, folder, folder / 'log')\n"
        "    print(child.pid, flush=True)\n"
        "    await child.wait()\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[4]
    node = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env={**ENV, "PYTHONPATH": str(root)},
    )
    assert node.stdout
    child = int(node.stdout.readline())
    assert not gone(child)
    node.kill()
    node.wait()
    node.stdout.close()
    while not gone(child):  # the test's own timeout ends this
        time.sleep(0.02)


async def written(path: Path, text: str) -> None:
    await until(lambda: path.exists() and text in path.read_text())


async def until(true: Callable[[], bool]) -> None:
    """Wait for it; the test's own timeout ends this."""
    while not true():  # noqa: ASYNC110  files tell nobody
        await asyncio.sleep(0.02)
