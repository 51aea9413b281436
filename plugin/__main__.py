"""Run the judge: `python -m plugin`."""

import os
import socket
import sys
from collections.abc import Iterable, Iterator

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
        return _refused([*problems(error), *misspelt(os.environ)])
    if wrong := [*misspelt(os.environ), *_occupied(settings.host, settings.port)]:
        return _refused(wrong)
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


def _refused(problems: Iterable[str]) -> int:
    print(*problems, sep="\n", file=sys.stderr)
    return 2


def _occupied(host: str, port: int) -> Iterator[str]:
    """A line if nothing can listen there: uvicorn's would not say where that is to be mended."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no name of a host"
        yield f"HOST, PORT: cannot listen on {host}, port {port} ({reason})"


if __name__ == "__main__":
    sys.exit(main())
