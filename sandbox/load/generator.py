"""Open-loop load: calls leave on the clock, whether or not the earlier ones were answered."""

import asyncio
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from sandbox.load.client import CallError, Pool, Target
from sandbox.load.tally import Tally

CALL_SECONDS = 10.0
# A gateway that does not answer must not be buried: no more calls wait than this, per host.
MOST_WAITING = 64
STATE_SECONDS = 1.0


class Generator:
    """`rates` are requests per second by Host header."""

    def __init__(self, target: Target, rates: Mapping[str, float], path: str, state: Path):
        self._target = target
        self._rates = rates
        self._path = path
        self._state = state
        self._tallies = {host: Tally(rate) for host, rate in rates.items()}
        self._started = datetime.now(UTC).isoformat()

    async def run(self) -> None:
        """For ever; what was counted is written once more at cancellation."""
        try:
            async with asyncio.TaskGroup() as group:
                for host, rate in self._rates.items():
                    group.create_task(self._call_steadily(host, rate))
                group.create_task(self._write_regularly())
        finally:
            self._write()

    async def _call_steadily(self, host: str, rate: float) -> None:
        pool = Pool(self._target)
        loop = asyncio.get_running_loop()
        due = loop.time()
        calls: set[asyncio.Task[None]] = set()
        try:
            while True:
                due += 1 / rate
                await asyncio.sleep(due - loop.time())
                # After a pause of the whole machine: catch up with one second's calls at most.
                due = max(due, loop.time() - 1)
                if len(calls) >= MOST_WAITING:
                    self._tallies[host].dropped()
                    continue
                task = asyncio.create_task(self._call(pool, host))
                calls.add(task)
                task.add_done_callback(calls.discard)
        finally:
            pool.close()

    async def _call(self, pool: Pool, host: str) -> None:
        tally = self._tallies[host]
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            status = await pool.get(host, self._path, CALL_SECONDS)
        except CallError as error:
            tally.failed(error.kind)
        else:
            tally.answered(status, loop.time() - begun)

    async def _write_regularly(self) -> None:
        while True:
            self._write()
            await asyncio.sleep(STATE_SECONDS)

    def _write(self) -> None:
        """Replace the state file at once, so that a reader never sees half of it."""
        content = {
            "started_at": self._started,
            "updated_at": datetime.now(UTC).isoformat(),
            "hosts": {host: tally.summary() for host, tally in self._tallies.items()},
        }
        temporary = self._state.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps(content, indent=1))
        temporary.replace(self._state)
