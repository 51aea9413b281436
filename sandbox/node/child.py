"""A local process that cannot outlive the node, and its end as an awaitable."""

import asyncio
import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
# Looked up before any fork: between fork and exec only calls that are ready may be made.
_prctl = ctypes.CDLL(None, use_errno=True).prctl


class Child:
    """A started process in its own session, writing to one log file."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], folder: Path, log: Path):
        """Start it in `folder`. Raises OSError when it cannot be run."""
        parent = os.getpid()

        def die_with_parent() -> None:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # the parent died before the call
                os._exit(1)

        with log.open("ab") as output:
            # Safe here: what runs between fork and exec takes no lock another thread could hold.
            self._process = subprocess.Popen(
                list(argv),
                env=dict(env),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509
            )
        self.pid = self._process.pid
        self._ended = asyncio.get_running_loop().create_future()
        # A file descriptor of the process, readable at its end: no thread per child.
        self._handle = os.pidfd_open(self.pid)
        asyncio.get_running_loop().add_reader(self._handle, self._reap)

    @property
    def ended(self) -> bool:
        return self._ended.done()

    async def wait(self) -> int:
        """Its exit code; minus the signal's number when a signal ended it."""
        return await asyncio.shield(self._ended)

    def send(self, number: int) -> None:
        """Signal the process and what it started; nothing when it has ended."""
        if not self.ended:
            os.killpg(self.pid, number)

    async def stop(self, grace: float) -> None:
        """SIGTERM, and SIGKILL when it still runs after `grace` seconds."""
        self.send(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace):
                await self.wait()
        except TimeoutError:
            self.send(signal.SIGKILL)
            await self.wait()

    def _reap(self) -> None:
        asyncio.get_running_loop().remove_reader(self._handle)
        os.close(self._handle)
        # As in a container, nothing outlives the first process. It is not reaped yet, so the
        # number of its group cannot have been given to anybody else.
        os.killpg(self.pid, signal.SIGKILL)
        self._ended.set_result(self._process.wait())
