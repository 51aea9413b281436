"""What can be wrong with the process itself: it keeps memory that it should free; it crashes."""

import asyncio
import os
import sys

from sandbox.demoapp.settings import Settings

CRASH_EXIT_CODE = 1
LEAK_EVERY_SECONDS = 0.1
_MIB = 2**20


async def leak(settings: Settings) -> None:
    """Take more memory as fast as the settings say; none, with 0 MiB."""
    kept: list[bytes] = []
    size = int(settings.leak_mib_per_second * LEAK_EVERY_SECONDS * _MIB)
    while size:
        # Written to, or the kernel would give no page for it.
        kept.append(b"\1" * size)
        await asyncio.sleep(LEAK_EVERY_SECONDS)


async def crash(settings: Settings) -> None:
    """End the process in the middle of whatever it does; never, with 0 seconds."""
    if settings.crash_after_seconds:
        await asyncio.sleep(settings.crash_after_seconds)
        sys.stderr.write(f"crashed: CRASH_AFTER_SECONDS={settings.crash_after_seconds:g}\n")
        sys.stderr.flush()
        os._exit(CRASH_EXIT_CODE)
