"""From a question to a verdict: one range query, its counts, the evidence, the rules."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from plugin import signals
from plugin.counts import Counts, cadence, read
from plugin.counts.answer import Answer
from plugin.judge.plan import Plan, plan
from plugin.judge.recall import Recall
from plugin.judge.source import Source
from plugin.prometheus import ConfigError, PrometheusError
from plugin.promql.query import Query
from plugin.question import Question
from plugin.signals import Signal
from plugin.statistics.limits import Limits
from plugin.verdict import Case, Progress, Reason, decide, why

_SLACK_SECONDS, _SCRAPES = 15, 3
"""Counts of both arms are fresh for so long, and one interval. By design the newest are a scrape,
up to 5 s and up to an interval old; the rest is for a scrape that fails and for few requests."""


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
        planned, query = self.plan(question)
        indicators = planned.indicators
        try:
            answer = await self._recall.answer(planned, query)
        except PrometheusError as error:
            return cannot_judge(question, error, query.end, query)
        pods = signals.attempt_pods(answer)
        counts = read(answer, indicators, question.policy.warm_up.total_seconds(), pods)
        canary = question.arm("canary", self._reporter)
        counts = replace(
            counts,
            rarely=cadence.rarely(answer, self.scrape_interval),
            apart=frozenset(one.name for one in indicators if one.apart(canary)),
        )
        cases = self.cases(question, counts)
        decision = decide(cases)
        reason = decision.reason
        sentence = why.explain(decision, counts, question, self._age(counts))
        watched = _signals(question, answer, counts)
        worst = signals.worst(watched)
        if worst is not None and worst.outranks(reason):
            reason, sentence = worst.reason, worst.why
        return Judgement(question, reason, sentence, query.end, query, counts, cases, watched)

    def plan(self, question: Question) -> tuple[Plan, Query]:
        """What is asked, and the range query that asks it.

        It ends where every target must have been scraped.
        """
        settle = min(self.scrape_interval / 4, 5)
        latest = self.clock() - self.scrape_interval - settle
        return plan(question, self.scrape_interval, self._reporter, latest)

    def cases(self, question: Question, counts: Counts) -> tuple[Case, ...]:
        """What each objective says of these counts now. Replays decide by it too."""
        progress = Progress.of(counts, question)
        compared, age = counts.compared, self._age(counts)
        newest = _SLACK_SECONDS + _SCRAPES * self.scrape_interval + counts.seconds
        fresh = age is not None and age <= newest
        fresh = fresh and not counts.unsettled and counts.rarely is None
        return tuple(
            Case(
                objective=objective,
                limits=Limits.of(objective, question.slo, question.policy, question.exposure),
                policy=question.policy,
                rollout=compared[objective.name],
                seconds=counts.seconds,
                progress=progress,
                fresh=fresh,
                apart=objective.name in counts.apart,
            )
            for objective in question.slo.objectives
        )

    def _age(self, counts: Counts) -> float | None:
        """Seconds since both arms were last seen with requests; None if they never were."""
        ends = counts.ends[counts.traffic.comparable]
        return self.clock() - float(ends[-1]) if len(ends) else None


def _signals(question: Question, answer: Answer, counts: Counts) -> tuple[Signal, ...]:
    """What the canary's pods say, and the values with bounds, since the release began."""
    step, since = answer.query.step, None
    if len(counts.ends):
        since = (int(counts.ends[0]) - answer.query.start) // step
    bounds = (
        signals.within_bounds(
            bound,
            answer.value(f"canary {bound.name}"),
            answer.value(f"stable {bound.name}"),
            step,
            since,
        )
        for bound in question.slo.bounds
    )
    return (*signals.health(answer, question.slo.restarts), *bounds)
