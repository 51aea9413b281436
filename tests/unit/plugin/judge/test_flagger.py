"""Flagger's hooks: hold until the stage has passed, but never for want of traffic at weight 0."""

from typing import Any

import promql_parser
import pytest

from plugin.judge import Judge
from plugin.judge.flagger import advance, canary_weight, stage
from plugin.prometheus import QueryError
from plugin.question import Question
from plugin.verdict import Reason, Verdict

PASS = Verdict.PASS
GOOD = {"canary": (10, 0, 0), "stable": (90, 0, 0)}


@pytest.fixture
def judge(traffic: Any) -> Judge:
    return Judge(traffic, 2, clock=lambda: 1_000_000_003.0)


async def verdict(work: Any) -> Verdict:
    return (await work).reason.verdict


async def test_the_first_step_is_free(traffic: Any, judge: Judge, question: Question) -> None:
    """Held at weight 0 the canary would never get the traffic to be judged by."""
    traffic.steady(stable=(90, 0, 0)).weight = 0
    assert (await advance(judge, question)).reason is Reason.MAY_BEGIN


async def test_a_stage_that_has_passed_may_end(
    traffic: Any, judge: Judge, question: Question
) -> None:
    traffic.steady(**GOOD).weight = 10
    assert await verdict(advance(judge, question)) is PASS
    assert await verdict(stage(judge, question)) is PASS


async def test_a_stage_is_held_until_it_has_passed(
    traffic: Any, judge: Judge, question: Question
) -> None:
    traffic.steady(3, **GOOD).weight = 10
    judgement = await advance(judge, question)
    assert judgement.reason is Reason.GATHERING
    assert "at most 1 pp" in judgement.why


async def test_the_weight_is_flaggers_and_not_the_questions(
    traffic: Any, judge: Judge, question: Question
) -> None:
    """The question is the same in all stages; it says 10 % here, and Flagger is at 30 %."""
    traffic.steady(**GOOD).weight = 30
    assert (await advance(judge, question)).reason is Reason.TRAFFIC_SHARE


@pytest.mark.parametrize("weight", [10, 30])
async def test_the_stages_time_is_found_by_its_weight(
    traffic: Any, judge: Judge, asked: dict[str, Any], weight: int
) -> None:
    """Flagger has no deadline of its own: without this, `time` and `on_undecided` mean nothing."""
    del asked["stage"]
    asked["stages"] = [{"weight": 10, "time": "10s"}, {"weight": 30, "time": "10m"}]
    asked["policy"] = {"on_undecided": "promote"}
    question = Question.model_validate(asked)
    steady = {"canary": (weight / 2, 0, 0), "stable": (50 - weight / 2, 0, 0)}
    traffic.steady(20, **steady).weight = weight
    over = {10: Reason.UNDECIDED_PROMOTED, 30: Reason.GATHERING}
    assert (await advance(judge, question)).reason is over[weight]
    assert (await stage(judge, question)).reason is over[weight]


async def test_a_weight_that_is_no_stages_has_no_deadline(
    traffic: Any, judge: Judge, asked: dict[str, Any]
) -> None:
    asked["stages"] = [{"weight": 20, "time": "2s"}]
    asked["policy"] = {"on_undecided": "abort"}
    traffic.steady(6, **GOOD).weight = 10
    assert (await stage(judge, Question.model_validate(asked))).reason is Reason.GATHERING


async def test_without_prometheus_everything_holds(
    traffic: Any, judge: Judge, question: Question
) -> None:
    traffic.error = QueryError("Prometheus cannot be reached: refused")
    for judgement in (await advance(judge, question), await stage(judge, question)):
        assert judgement.reason is Reason.QUERY_ERROR
        assert "refused" in judgement.why


NOTHING = (0, 0, 0)
UNSCRAPED = {
    "at weight 0": {"stable": [(90, 0, 0)] * 60},
    "a canary that is not scraped": {
        "canary": [(10, 1, 0)] * 8 + [NOTHING] * 52,
        "stable": [(90, 1, 0)] * 60,
    },
    "a good one": {"canary": [(10, 0, 0)] * 60, "stable": [(90, 0, 0)] * 60},
    "no requests at all": {},
}


@pytest.mark.parametrize("arms", UNSCRAPED.values(), ids=list(UNSCRAPED))
async def test_without_the_gauge_every_gate_holds_and_says_what_is_missing(
    traffic: Any, judge: Judge, question: Question, arms: Any
) -> None:
    """No request to the canary may mean weight 0 or that nobody counts its errors."""
    traffic.arms = arms
    for judgement in (await advance(judge, question), await stage(judge, question)):
        assert judgement.reason is Reason.NO_DATA
        assert "flagger_canary_weight is not in Prometheus" in judgement.why


async def test_a_failure_is_one_without_the_gauge_too(
    traffic: Any, judge: Judge, question: Question
) -> None:
    traffic.steady(canary=(10, 5, 0), stable=(90, 0, 0))
    for judgement in (await advance(judge, question), await stage(judge, question)):
        assert judgement.reason.verdict is Verdict.FAIL


async def test_promotion_needs_evidence_even_at_weight_0(
    traffic: Any, judge: Judge, question: Question
) -> None:
    for weight in (0, None):
        traffic.steady(stable=(90, 0, 0)).weight = weight
        assert await verdict(stage(judge, question)) is not PASS


async def test_a_release_waits_for_its_window_at_weight_0_too(
    traffic: Any, judge: Judge, asked: dict[str, Any]
) -> None:
    """Flagger restarts on a new revision without asking whether it may begin."""
    sunday = "sun"  # 2001-09-09 01:46:43 UTC
    asked["policy"] = {"windows": [{"days": [sunday], "hours": "09:00-12:00"}]}
    question = Question.model_validate(asked)
    traffic.steady(stable=(90, 0, 0)).weight = 0
    assert (await advance(judge, question)).reason is Reason.WINDOW_CLOSED
    traffic.steady(**GOOD).weight = 10
    assert await verdict(advance(judge, question)) is PASS


async def test_the_gauge_is_found_under_both_its_names(
    traffic: Any, judge: Judge, question: Question
) -> None:
    traffic.weight = 30
    assert await canary_weight(judge, question) == 30
    (text,) = traffic.texts
    promql_parser.parse(text)
    assert ',namespace="shop"' in text
    assert ',exported_namespace="shop"' in text


async def test_only_the_newest_scrape_tells_the_weight(traffic: Any, question: Question) -> None:
    """After an outage of its own Prometheus answers with what it knew before: a weight of 0 that
    is over would open the next stage.
    """
    assert await canary_weight(Judge(traffic, 15), question) is None
    (text,) = traffic.texts
    assert text.count("[23s]") == text.count("flagger_canary_weight") == 2
