"""From a question to a verdict: one range query, its counts, the evidence, the rules."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from plugin import signals
from plugin.counts import Counts, cadence, read
from plugin.judge.plan import plan
from plugin.judge.recall import Recall
from plugin.judge.source import Source
from plugin.prometheus import ConfigError, PrometheusError
from plugin.promql.query import Query
from plugin.question import Question
from plugin.signals import Signal
from plugin.verdict import Case, Reason, age, decide, weigh, why


@dataclass(frozen=True)
class Judgement:
    """A verdict with all that led to it.

    `at` is the time it speaks of, in Unix seconds: the end of the counts. There is no `query` if
    none was needed, and `cases` is empty when Prometheus gave no counts.
    """

    question: Question
    reason: Reason
    why: str
    at: float
    query: Query | None = None
    counts: Counts | None = None
    cases: tuple[Case, ...] = ()
    signals: tuple[Signal, ...] = ()


def cannot_judge(
    question: Question, error: PrometheusError, at: float, query: Query | None = None
) -> Judgement:
    """Prometheus gave no answer to build on: undecided, whatever was asked."""
    reason = Reason.CONFIG_ERROR if isinstance(error, ConfigError) else Reason.QUERY_ERROR
    return Judgement(question, reason, why.cannot_ask(str(error)), at, query)


class Judge:
    """Judges releases. What it keeps between two questions (`recall`, `plan`) only saves time.

    `scrape_interval` is Prometheus' in seconds, `reporter` which side of Istio's metrics to use and
    `clock` the time in Unix seconds.
    """

    def __init__(
        self,
        source: Source,
        scrape_interval: int,
        reporter: str = "source",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.source = source
        self._recall = Recall(source)
        self.scrape_interval = scrape_interval
        self._reporter = reporter
        self.clock = clock

    async def judge(self, question: Question) -> Judgement:
        """Decide. Whatever is wrong with Prometheus or its data is a verdict too: undecided."""
        scrape = self.scrape_interval
        planned, query = plan(question, scrape, self._reporter, self.clock())
        try:
            answer = await self._recall.answer(planned, query)
        except PrometheusError as error:
            return cannot_judge(question, error, query.end, query)
        counts = read(
            answer,
            planned.indicators,
            question.policy.warm_up.total_seconds(),
            signals.attempt_pods(answer),
            cadence.rarely(answer, scrape),
        )
        now = self.clock()
        cases = weigh(question, counts, now, scrape, planned.apart)
        decision = decide(cases)
        watched = signals.watched(question.slo, answer, _since(counts, query), scrape)
        said = [
            (decision.reason, why.explain(decision, counts, question, age(counts, now))),
            *((one.reason, one.why) for one in watched if one.reason is not None),
        ]
        reason, sentence = min(said, key=lambda one: one[0].rank)
        return Judgement(question, reason, sentence, query.end, query, counts, cases, watched)


def _since(counts: Counts, query: Query) -> int | None:
    """The release's first interval; None if it had no requests yet."""
    return (int(counts.ends[0]) - query.start) // query.step if len(counts.ends) else None
