"""Asked to stop, the judge finishes what it has begun: no release loses a verdict to a restart."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

SECONDS = 60  # far more than it takes on a busy machine


async def test_questions_under_way_are_answered(
    start: Any, prometheus: Any, asked: dict[str, Any]
) -> None:
    url, process = start()
    questions = [asked | {"service": f"service-{number}"} for number in range(40)]
    prometheus.held.clear()
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        waiting = [
            asyncio.create_task(client.post(f"{url}/v1/verdict", json=one)) for one in questions
        ]
        await until(lambda: all_under_way(client, url, len(questions)), "all are under way")
        process.send_signal(signal.SIGTERM)
        await until(lambda: deaf(url), "nothing new is let in")
        prometheus.held.set()
        answers = await asyncio.gather(*waiting)
    assert [answer.status_code for answer in answers] == [200] * len(questions)
    # On a busy machine some may have waited too long for Prometheus, and say so.
    assert {answer.json()["reason"] for answer in answers} <= {"no_data", "query_error"}
    assert await asyncio.to_thread(process.wait, 30) in {0, -signal.SIGTERM}


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not await condition():
        assert time.monotonic() < deadline, f"not within {SECONDS} s: {what}"
        await asyncio.sleep(0.01)


async def all_under_way(client: httpx.AsyncClient, url: str, questions: int) -> bool:
    """The judge is busy with all of them, as its metrics say."""
    text = (await client.get(f"{url}/metrics")).text
    return f"\nsluice_questions_under_way {questions}.0\n" in text


async def deaf(url: str) -> bool:
    """Nothing new is let in."""
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get(f"{url}/healthz")
    except httpx.TransportError:
        return True
    return False
