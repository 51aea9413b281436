"""What a real Prometheus has already scraped when a test begins.

All tests share one; each writes into a namespace of its own.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from plugin.counts import Counts, read
from plugin.counts.answer import Answer
from plugin.judge import Judge, Judgement
from plugin.judge.plan import plan
from plugin.prometheus import Prometheus
from plugin.question import Question
from plugin.signals import attempt_pods
from tests.contract.support.remotewrite import Native, write

STEP = 15
INTERVALS = 100
BEGIN = int(time.time()) // STEP * STEP - 2 * 3600
"""The time of the first interval's end."""

Array = NDArray[np.float64]
Result = TypeVar("Result")
NEVER = np.full(INTERVALS, np.nan)


def counter(
    counts: Array, base: float = 0, born: bool = False, resets: Sequence[int] = ()
) -> Array:
    """Samples of a counter that grows by `counts`; NaN where there is no sample.

    It begins anew, at zero, before each interval in `resets`. With `born` it is not there, at first
    and after a reset, until something is counted.
    """
    values, total = np.empty(len(counts)), base
    for index, count in enumerate(counts):
        total = count if index in resets else total + count
        values[index] = np.nan if born and total == 0 else total
    return values


def always(value: float) -> Array:
    return np.full(INTERVALS, float(value))


def from_then_on(first: int, value: float, before: float = 0) -> Array:
    values = always(before)
    values[first:] = value
    return values


class History:
    """Series in a namespace of their own, on the shared Prometheus."""

    def __init__(self, url: str, namespace: str) -> None:
        self.url, self.namespace = url, namespace

    def add(self, metric: str, values: Array, **labels: str) -> None:
        """A series with one sample at the end of each interval, and none where it is NaN."""
        self.scrape(metric, values, labels)

    def scrape(
        self,
        metric: str,
        values: Array,
        labels: Mapping[str, str],
        delay: float = 0,
        stale: bool = True,
    ) -> None:
        """A series with one sample per interval, `delay` seconds before each one's end.

        Where samples cease (NaN) it is marked stale, as Prometheus does when a target or one of its
        series is gone.
        """
        samples: list[tuple[float, float | Native]] = []
        for index, value in enumerate(values):
            at = BEGIN + STEP * index - delay
            if not np.isnan(value):
                samples.append((at, float(value)))
            elif stale and index and not np.isnan(values[index - 1]):
                samples.append((at, _STALE))
        if samples:
            write(self.url, [({"__name__": metric, **labels}, samples)])

    def add_native(self, metric: str, buckets: Mapping[int, Array], **labels: str) -> None:
        """A native histogram: bucket → cumulative counts."""
        samples = [
            (
                float(BEGIN + STEP * index),
                Native({bucket: int(values[index]) for bucket, values in buckets.items()}),
            )
            for index in range(INTERVALS)
        ]
        write(self.url, [({"__name__": metric, **labels}, samples)])

    def question(self, slo: Mapping[str, Any], **more: Any) -> Question:
        return Question.model_validate(
            {
                "service": "checkout",
                "namespace": self.namespace,
                "slo": slo,
                "arms": {
                    "canary": {"workload": "checkout", "version": "1.1"},
                    "stable": {"workload": "checkout", "not_version": "1.1"},
                },
                "policy": {"lookback": f"{STEP * INTERVALS}s"},
                **more,
            }
        )

    def judgement(self, question: Question, reporter: str = "source") -> Judgement:
        """The verdict at the end of the last interval."""

        async def ask(judge: Judge) -> Judgement:
            return await judge.judge(question)

        return self._with_judge(ask, reporter)

    def answer(self, question: Question) -> Answer:
        """Prometheus' answer to the judge's query."""

        async def ask(judge: Judge) -> Answer:
            asked, query = plan(question, STEP, "source", judge.clock())
            assert (query.start, query.intervals) == (BEGIN, INTERVALS)
            return Answer.of(await judge.source.query_range(query), query, asked.parts)

        return self._with_judge(ask)

    def counts(self, question: Question) -> Counts:
        answer = self.answer(question)
        return read(answer, question.indicators, pods=attempt_pods(answer))

    def _with_judge(
        self, ask: Callable[[Judge], Awaitable[Result]], reporter: str = "source"
    ) -> Result:
        async def run() -> Result:
            source = Prometheus(self.url, lambda *_: None)
            try:
                now = BEGIN + STEP * INTERVALS + 5
                return await ask(Judge(source, STEP, reporter, clock=lambda: now))
            finally:
                await source.close()

        return asyncio.run(run())


_STALE = np.frombuffer(b"\x02\x00\x00\x00\x00\x00\xf0\x7f", dtype=np.float64)[0]
"""The NaN that marks the end of a series (prometheus, model/value)."""

_numbers = itertools.count()


def namespace_of(test: str) -> str:
    return f"test-{next(_numbers)}-{test.lower().replace('_', '-')[:30].strip('-')}"
