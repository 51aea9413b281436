"""From a question to a verdict: one range query, its counts, the evidence, the rules."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Protocol

from plugin import why
from plugin.counts import ARMS, Counts, read, stage_start
from plugin.indicators import Indicator, istio, istio_arm
from plugin.prometheus import ConfigError, QueryError, Sample, Series
from plugin.promql import Query, selector, union
from plugin.question import Question
from plugin.verdict import Case, Limits, Reason, decide

_DEFAULT_LOOKBACK_SECONDS = 2 * 3600
_MAX_INTERVALS = 720
"""Per query. A longer lookback widens the intervals; it does not make the query dearer."""


_OVERFED = 1.5
"""A canary with so many times its share of the traffic is routed wrongly, or the stage is over."""


class Source(Protocol):
    """Where counts come from: Prometheus, or a stand-in in tests.

    Both raise `plugin.prometheus.QueryError` or `ConfigError`.
    """

    async def query_range(self, query: Query) -> list[Series]: ...

    async def query(self, text: str) -> list[Sample]: ...


@dataclass(frozen=True)
class Judgement:
    """A verdict with all that led to it. `cases` is empty when Prometheus gave no counts."""

    question: Question
    reason: Reason
    why: str
    query: Query
    counts: Counts | None = None
    cases: tuple[Case, ...] = ()


class Judge:
    """Judges releases; keeps nothing between two questions.

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
        self._scrape = scrape_interval
        self._reporter = reporter
        self._clock = clock

    async def judge(self, question: Question) -> Judgement:
        """Decide. Whatever is wrong with Prometheus or its data is a verdict too: undecided."""
        indicators = [istio(objective) for objective in question.slo.objectives]
        query = self.query(question, indicators)
        try:
            series = await self.source.query_range(query)
            counts = read(series, query, indicators, question.policy.warm_up.total_seconds())
        except QueryError as error:
            return Judgement(question, Reason.QUERY_ERROR, why.cannot_ask(str(error)), query)
        except ConfigError as error:
            return Judgement(question, Reason.CONFIG_ERROR, why.cannot_ask(str(error)), query)
        cases = self._cases(question, counts)
        deciding = decide(cases)
        reason = why.explain(deciding, counts, question, self._age(counts))
        return Judgement(question, deciding.reason, reason, query, counts, cases)

    def query(self, question: Question, indicators: Sequence[Indicator]) -> Query:
        """The range query, ending where every target must have been scraped.

        The ends of the intervals are multiples of their length, so both arms, all replicas and
        repeated questions see the same ones.
        """
        lookback = question.policy.lookback
        seconds = min(_DEFAULT_LOOKBACK_SECONDS, _MAX_INTERVALS * self._scrape)
        if lookback is not None:
            seconds = lookback.total_seconds()
        step = self._scrape * ceil(seconds / (self._scrape * _MAX_INTERVALS))
        settle = min(self._scrape / 4, 5)
        end = floor((self._clock() - self._scrape - settle) / step) * step
        arms = {
            arm: istio_arm(question.namespace, getattr(question.arms, arm), self._reporter)
            for arm in ARMS
        }
        parts = {
            f"{arm} {one.name}": (selector(one.metric, arms[arm] + one.matchers), one.label)
            for one in indicators
            for arm in ARMS
        }
        start = end - step * (ceil(seconds / step) - 1)
        return Query(union(parts, step), start, end, step)

    def _cases(self, question: Question, counts: Counts) -> tuple[Case, ...]:
        weight = question.stage.weight
        begins, share = 0, True
        if weight is not None and 0 < weight < 100:
            begins = stage_start(counts.traffic, weight / 100)
            share = 0 < counts.traffic[begins:].share <= _OVERFED * weight / 100
        age = self._age(counts)
        fresh = age is not None and age <= 15 + 5 * counts.seconds
        return tuple(
            Case(
                objective=objective,
                limits=Limits.of(objective, question.slo, question.policy),
                policy=question.policy,
                rollout=counts.strata[objective.name],
                begins=begins,
                seconds=counts.seconds,
                share=share,
                fresh=fresh,
            )
            for objective in question.slo.objectives
        )

    def _age(self, counts: Counts) -> float | None:
        """Seconds since both arms were last seen with requests; None if they never were."""
        ends = counts.ends[counts.traffic.comparable]
        return self._clock() - float(ends[-1]) if len(ends) else None
