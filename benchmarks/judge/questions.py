"""What is asked: questions to the judge, and the queries that it makes of them."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count, cycle, repeat
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from benchmarks.judge.load import Request
from benchmarks.judge.prometheus import SCRAPE_SECONDS, Service

RELEASES = 80
"""Under way at once, and each is asked about again and again: more than are ever in flight."""
_PLACE = "none-0"
"""A version that nothing has: another one makes another query of the same cost."""
_new = count(RELEASES)
_FORM = "application/x-www-form-urlencoded"


class Asked(StrEnum):
    """How the questions follow on each other: of a release that nobody has asked about before, of
    all that are under way in turn, or always of the same one.
    """

    FIRST = "first looks"
    AGAIN = "later looks"
    SAME = "identical"

    def places(self) -> Iterator[str]:
        """One per question, for ever."""
        match self:
            case Asked.FIRST:
                return (f"none-{number}" for number in _new)
            case Asked.AGAIN:
                return cycle([f"none-{number}" for number in range(RELEASES)])
            case Asked.SAME:
                return repeat(_PLACE)


def question(service: Service, intervals: int, absent: str = _PLACE) -> dict[str, Any]:
    """About a release at 10 % with two objectives, over so many intervals."""
    canary, stable = service.arms
    return {
        "service": service.name,
        "namespace": "shop",
        "slo": {"availability": 99.5, "latency": {"percentile": 95, "threshold": "250ms"}},
        "arms": {
            "canary": {"workload": canary, "version": "1"},
            "stable": {"workload": stable, "not_version": absent},
        },
        "stage": {"weight": 10},
        "policy": {"lookback": f"{intervals * SCRAPE_SECONDS}s"},
        "answer_within": "30s",
    }


def to_judge(url: str, service: Service, intervals: int, asked: Asked) -> Iterator[Request]:
    """Endless. Each has to be answered from all intervals."""
    proof = f'"used":{intervals},'.encode()
    for place in asked.places():
        body = json.dumps(question(service, intervals, place)).encode()
        yield Request(f"{url}/v1/verdict", body, "application/json", proof)


def to_prometheus(url: str, form: dict[str, str], asked: Asked) -> Iterator[Request]:
    """The judge's queries, sent straight to Prometheus, which may take its time.

    Encoded once: this tool's own time would be taken for Prometheus'.
    """
    body = urlencode({key: value for key, value in form.items() if key != "timeout"}).encode()
    for place in asked.places():
        of_its_own = body.replace(_PLACE.encode(), place.encode())
        yield Request(f"{url}/api/v1/query_range", of_its_own, _FORM, b'"matrix"')


@dataclass
class Recorder:
    """Stands in for Prometheus until the judge has shown its query: the last one it was asked."""

    form: dict[str, str] = field(default_factory=dict)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Yields its URL."""

        async def refuse(request: web.Request) -> web.Response:
            self.form = dict(parse_qsl((await request.read()).decode()))
            return web.Response(status=400)

        async with _serving(refuse) as url:
            yield url


@asynccontextmanager
async def echoing(answer: bytes) -> AsyncIterator[str]:
    """A server that says the same at once: how fast the load tool itself is."""

    async def say(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=answer)

    async with _serving(say) as url:
        yield url


@asynccontextmanager
async def _serving(
    handler: Callable[[web.Request], Awaitable[web.Response]],
) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/api/v1/query_range", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
