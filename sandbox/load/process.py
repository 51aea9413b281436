"""The load generator as a process of the sandbox."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path

from sandbox.layout import ROOT
from sandbox.process import Process, sources

FRESH_SECONDS = 5


def process(target: str, rates: Mapping[str, float], state: Path) -> Process:
    """Load on `target` (http://ADDRESS:PORT); `rates` are requests per second by Host header.

    Ready while the state file is being written.
    """

    def ready() -> bool:
        return time.time() - state.stat().st_mtime < FRESH_SECONDS

    hosts = [option for host, rate in rates.items() for option in ("--host", f"{host}={rate:g}")]
    return Process(
        name="load",
        argv=[
            *(sys.executable, "-m", "sandbox.load"),
            *("--target", target),
            *("--state", str(state)),
            *hosts,
        ],
        env={"PYTHONPATH": str(ROOT)},
        ready=ready,
        version=sources("sandbox/load"),
    )
