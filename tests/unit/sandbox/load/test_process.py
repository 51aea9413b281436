"""The load generator counts as ready only while it writes what callers see."""

import os
import time
from pathlib import Path

from sandbox.load.process import process


def test_it_is_ready_while_its_state_file_is_fresh(tmp_path: Path):
    state = tmp_path / "load.json"
    load = process("http://127.42.0.4:8080", {"checkout.local": 50}, state)
    assert not load.answers()
    state.touch()
    assert load.answers()
    minute_ago = time.time() - 60
    os.utime(state, (minute_ago, minute_ago))
    assert not load.answers()


def test_another_rate_is_another_process(tmp_path: Path):
    """So that it replaces the running one."""
    slow, fast = (
        process("http://127.42.0.4:8080", {"checkout.local": rate}, tmp_path / "load.json")
        for rate in (10, 50)
    )
    assert slow.digest != fast.digest
