"""Run the judge: `python -m plugin`."""

import os
import sys

import uvicorn
from pydantic import ValidationError

from plugin import log
from plugin.api.app import create_app
from plugin.settings import Settings, misspelt, problems

_GRACE_SECONDS = 15
"""For requests under way when asked to stop: longer than any of them takes."""
_KEEP_ALIVE_SECONDS = 3700
"""Longer than the controllers, or a proxy (an hour), keep a connection that is not used. If it were
closed here they could be sending a question into it, and would count an error."""


def main() -> int:
    try:
        settings = Settings()  # pyright: ignore[reportCallIssue] from the environment
    except ValidationError as error:
        print(*problems(error), sep="\n", file=sys.stderr)
        return 2
    if wrong := list(misspelt(os.environ)):
        print(*wrong, sep="\n", file=sys.stderr)
        return 2
    log.configure()
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        # Named, because the default takes slower ones where these are missing.
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
