"""`python -m sandbox.demoapp`: serve on HOST:PORT until SIGTERM."""

import asyncio
import os
import signal
import sys
from random import Random
from types import FrameType

import uvicorn
from prometheus_client import disable_created_metrics

from sandbox.demoapp import faults
from sandbox.demoapp.app import DemoApp
from sandbox.demoapp.settings import Settings, SettingsError, read

KEEP_ALIVE_SECONDS = 3700
"""Longer than a proxy keeps an unused connection, which is an hour: it must not send a request into
one that is being closed here."""


class Server(uvicorn.Server):
    """At SIGTERM: unready first, serve on while the mesh hears of it, then finish and end."""

    def __init__(self, app: DemoApp, settings: Settings):
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                lifespan="off",
                access_log=False,
                log_level="warning",
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
            )
        )
        self._app = app
        self._drain_seconds = settings.drain_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig != signal.SIGTERM or self._app.draining:
            super().handle_exit(sig, frame)
            return
        self._app.draining = True
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(loop.call_later, self._drain_seconds, self._leave)

    def _leave(self) -> None:
        # Uvicorn's own handler would raise the signal again at the end: a failed exit code.
        self.should_exit = True


async def run(settings: Settings) -> None:
    await asyncio.sleep(settings.start_seconds)
    app = DemoApp(settings, Random())  # noqa: S311  chance, not secrecy
    going_wrong = [asyncio.create_task(fault(settings)) for fault in (faults.leak, faults.crash)]
    try:
        await Server(app, settings).serve()
    finally:
        for task in going_wrong:
            task.cancel()
        app.close()


def main() -> None:
    try:
        settings = read(os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    disable_created_metrics()
    asyncio.run(run(settings))


if __name__ == "__main__":
    main()
