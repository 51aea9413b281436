"""The command line of the load generator, checked: it calls loopback addresses only."""

import argparse
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.load.client import Target

MOST_RATE = 500.0
_PORT = re.compile(r":[1-9]\d*$")


@dataclass(frozen=True)
class Options:
    target: Target
    path: str
    rates: dict[str, float]
    state: Path


def parse(arguments: Sequence[str]) -> Options:
    """Exits with a message naming the option when one cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.load",
        description="Steady open-loop load on a loopback address; counts what callers see.",
    )
    parser.add_argument("--target", required=True, help="http://127.N.0.4:8080[/path]")
    parser.add_argument(
        "--host",
        action="append",
        required=True,
        metavar="HOST=RATE",
        help="Host header and requests per second, for example checkout.local=50; repeatable",
    )
    parser.add_argument("--state", type=Path, required=True, help="JSON file written every second")
    given = parser.parse_args(arguments)
    url = urlsplit(given.target)
    if url.scheme != "http" or not _PORT.search(url.netloc):
        parser.error(f"--target {given.target}: must look like http://127.0.0.1:8080")
    try:
        return Options(
            target=Target(_loopback(url.hostname or ""), url.port or 0),
            path=url.path or "/",
            rates=dict(_rate(text) for text in given.host),
            state=given.state,
        )
    except ValueError as error:
        parser.error(str(error))


def _loopback(address: str) -> str:
    try:
        allowed = ipaddress.IPv4Address(address).is_loopback
    except ValueError:
        allowed = False
    if not allowed:
        raise ValueError(
            f"--target {address}: load goes to loopback addresses (127.0.0.0/8) only, so that "
            "it can never reach anybody else's machine"
        )
    return address


def _rate(text: str) -> tuple[str, float]:
    host, _, number = text.partition("=")
    try:
        rate = float(number)
    except ValueError:
        rate = 0.0
    if not host or not 0 < rate <= MOST_RATE:
        raise ValueError(
            f"--host {text}: must be HOST=RATE, the rate above 0 and up to {MOST_RATE:g} per second"
        )
    return host, rate
