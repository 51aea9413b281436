"""Flagger's gates: hold until the stage has passed, but never at weight 0."""

from typing import Any

import promql_parser
import pytest

from plugin.flagger import canary_weight, may_advance, may_promote
from plugin.judge import Judge
from plugin.prometheus import QueryError, Sample
from plugin.question import Question

GOOD = {"canary": (10, 0, 0), "stable": (90, 0, 0)}


@pytest.fixture
def judge(traffic: Any) -> Judge:
    return Judge(traffic, 2, clock=lambda: 1_000_000_003.0)


async def test_the_first_step_is_free(traffic: Any, judge: Judge, question: Question) -> None:
    """Held at weight 0 the canary would never get the traffic to be judged by."""
    traffic.steady(stable=(90, 0, 0)).weight = 0
    assert (await may_advance(judge, question)).open


async def test_a_stage_that_has_passed_may_end(
    traffic: Any, judge: Judge, question: Question
) -> None:
    traffic.steady(**GOOD).weight = 10
    assert (await may_advance(judge, question)).open
    assert (await may_promote(judge, question)).open


async def test_a_stage_is_held_until_it_has_passed(
    traffic: Any, judge: Judge, question: Question
) -> None:
    traffic.steady(3, **GOOD).weight = 10
    gate = await may_advance(judge, question)
    assert not gate.open
    assert "at most 1 pp" in gate.why


async def test_the_weight_is_flaggers_and_not_the_questions(
    traffic: Any, judge: Judge, question: Question
) -> None:
    """The question is the same in all stages; it says 10 % here, and Flagger is at 30 %."""
    traffic.steady(**GOOD).weight = 30
    assert not (await may_advance(judge, question)).open


async def test_without_prometheus_everything_holds(
    traffic: Any, judge: Judge, question: Question
) -> None:
    traffic.error = QueryError("Prometheus cannot be reached: refused")
    for gate in (await may_advance(judge, question), await may_promote(judge, question)):
        assert not gate.open
        assert "refused" in gate.why


async def test_without_the_gauge_the_counts_tell_that_there_is_no_traffic(
    traffic: Any, judge: Judge, question: Question
) -> None:
    """Else a Flagger that is not scraped would be held at weight 0 for ever."""
    traffic.steady(stable=(90, 0, 0))
    assert (await may_advance(judge, question)).open


async def test_without_gauge_and_requests_nothing_is_known(
    traffic: Any, judge: Judge, question: Question
) -> None:
    traffic.steady(10, stable=(90, 0, 0))
    assert not (await may_advance(judge, question)).open


async def test_promotion_needs_evidence_even_at_weight_0(
    traffic: Any, judge: Judge, question: Question
) -> None:
    for weight in (0, None):
        traffic.steady(stable=(90, 0, 0)).weight = weight
        assert not (await may_promote(judge, question)).open


async def test_the_gauge_is_found_under_both_its_names(question: Question) -> None:
    asked: list[str] = []

    class Gauge:
        async def query_range(self, query: object) -> list[Any]:
            raise AssertionError(query)

        async def query(self, text: str) -> list[Sample]:
            asked.append(text)
            return [Sample(metric={}, value=(0, 30))]

    assert await canary_weight(Judge(Gauge(), 2), question) == 30
    promql_parser.parse(asked[0])
    assert 'namespace="shop"' in asked[0]
    assert 'exported_namespace="shop"' in asked[0]
