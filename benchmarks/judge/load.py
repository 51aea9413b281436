"""A plain load tool: so many requests in flight, each as soon as the one before is answered."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import aiohttp
import numpy as np


@dataclass(frozen=True)
class Load:
    """What came of it: answers per second, the seconds that each took, and how many were none."""

    rate: float
    latencies: Sequence[float]
    failed: int

    @property
    def median(self) -> float:
        return float(np.median(self.latencies))

    @property
    def p99(self) -> float:
        return float(np.percentile(self.latencies, 99))


@dataclass(frozen=True)
class Request:
    """A POST. `proof` must be in its answer: an error that comes fast is no speed."""

    url: str
    body: bytes
    content_type: str
    proof: bytes


async def load(requests: Iterator[Request], in_flight: int, seconds: float) -> Load:
    """Send them one after the other for this long.

    Raises RuntimeError with the last wrong answer if there was no right one.
    """
    latencies: list[float] = []
    wrong: list[str] = []
    connector = aiohttp.TCPConnector(limit=in_flight)
    # As the judge does: compressing costs Prometheus more than it saves on a short way.
    headers = {"Accept-Encoding": "identity"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        began = time.perf_counter()

        async def worker() -> None:
            while (sent := time.perf_counter()) < began + seconds:
                answer = await _send(session, next(requests))
                if answer is None:
                    latencies.append(time.perf_counter() - sent)
                else:
                    wrong.append(answer)

        await asyncio.gather(*(worker() for _ in range(in_flight)))
        seconds = time.perf_counter() - began
    if not latencies:
        raise RuntimeError(wrong[-1])
    return Load(len(latencies) / seconds, latencies, len(wrong))


async def once(requests: Iterator[Request], count: int) -> None:
    """Send so many, one at a time. Raises RuntimeError with a wrong answer."""
    async with aiohttp.ClientSession() as session:
        for request in islice(requests, count):
            if answer := await _send(session, request):
                raise RuntimeError(answer)


async def _send(session: aiohttp.ClientSession, request: Request) -> str | None:
    """What was wrong with the answer, if anything."""
    headers = {"Content-Type": request.content_type}
    async with session.post(request.url, data=request.body, headers=headers) as response:
        answer = await response.read()
    if response.status != 200 or request.proof not in answer:
        return f"{request.url} answered {response.status}: {answer[:300]!r}"
    return None
