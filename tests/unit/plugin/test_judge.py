"""The judge: from a question to a verdict, and what it does without good data."""

from datetime import timedelta
from typing import Any

import promql_parser
import pytest

from plugin.judge import Judge
from plugin.prometheus import ConfigError, QueryError
from plugin.question import Policy, Question
from plugin.verdict import Reason, Verdict

NOW = 1_000_000_003.0


def judge(traffic: Any, scrape: int = 2) -> Judge:
    return Judge(traffic, scrape, clock=lambda: NOW)


async def test_a_good_release_passes_on_both_objectives(traffic: Any, question: Question) -> None:
    traffic.steady(canary=(10, 0, 0), stable=(90, 0, 0))
    judgement = await judge(traffic).judge(question)
    assert judgement.reason is Reason.NON_INFERIOR
    assert judgement.why == (
        "canary fails 0 % of requests (0 of 600) and stable 0 % (0 of 5,400) in this stage: at "
        "most 0.591 pp more, and the SLO allows 1 %"
    )


async def test_a_failing_release_fails_and_says_so(traffic: Any, question: Question) -> None:
    traffic.steady(10, canary=(10, 1, 0), stable=(90, 0, 0))
    judgement = await judge(traffic).judge(question)
    assert judgement.reason is Reason.REGRESSION
    assert judgement.why == (
        "canary fails 10 % of requests (10 of 100) and stable 0 % (0 of 900): at least 2.24 pp "
        "more, and the SLO allows 1 %"
    )


async def test_a_slow_release_fails_though_it_is_correct(traffic: Any, question: Question) -> None:
    traffic.steady(10, canary=(10, 0, 3), stable=(90, 0, 1))
    judgement = await judge(traffic).judge(question)
    assert judgement.reason is Reason.REGRESSION
    assert judgement.why.startswith("canary exceeds 250ms in 30 % of requests (30 of 100)")


async def test_a_stage_that_has_just_begun_gathers(traffic: Any, question: Question) -> None:
    """What passed at 10 % does not promote the moment the weight is 30 %."""
    later = question.model_copy(update={"stage": question.stage.model_copy(update={"weight": 30})})
    traffic.steady(canary=(10, 0, 0), stable=(90, 0, 0))
    judgement = await judge(traffic).judge(later)
    assert judgement.reason is Reason.GATHERING
    assert "10 % of the requests where its stage gives it 30 %" in judgement.why


async def test_a_canary_with_far_too_much_traffic_does_not_pass(
    traffic: Any, question: Question
) -> None:
    traffic.steady(canary=(40, 0, 0), stable=(60, 0, 0))
    assert (await judge(traffic).judge(question)).reason is Reason.GATHERING


async def test_without_a_weight_all_evidence_counts(traffic: Any, asked: dict[str, Any]) -> None:
    del asked["stage"]
    traffic.steady(canary=(40, 0, 0), stable=(60, 0, 0))
    judgement = await judge(traffic).judge(Question.model_validate(asked))
    assert judgement.reason is Reason.NON_INFERIOR


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (QueryError("Prometheus cannot be reached: refused"), Reason.QUERY_ERROR),
        (ConfigError("Prometheus answered 422: too many samples"), Reason.CONFIG_ERROR),
    ],
)
async def test_whatever_prometheus_does_is_undecided(
    traffic: Any, question: Question, error: Exception, reason: Reason
) -> None:
    traffic.error = error
    judgement = await judge(traffic).judge(question)
    assert judgement.reason is reason
    assert reason.verdict is Verdict.UNDECIDED
    assert str(error) in judgement.why
    assert "nothing is promoted and nothing aborted" in judgement.why


@pytest.mark.parametrize(
    ("arms", "why"),
    [
        ({}, "no request to the canary"),
        ({"stable": (90, 0, 0)}, "no request to the canary"),
        ({"canary": (90, 0, 0)}, "no requests to compare with"),
    ],
)
async def test_an_arm_without_requests_is_no_data(
    traffic: Any, question: Question, arms: dict[str, Any], why: str
) -> None:
    judgement = await judge(traffic.steady(**arms)).judge(question)
    assert judgement.reason is Reason.NO_DATA
    assert why in judgement.why


async def test_old_counts_promote_nothing(traffic: Any, question: Question) -> None:
    """Prometheus answers again after an outage, but has scraped nothing new yet."""
    traffic.steady(canary=(10, 0, 0), stable=(90, 0, 0)).age = 15
    judgement = await judge(traffic).judge(question)
    assert judgement.reason is Reason.NO_DATA
    assert "old" in judgement.why


async def test_an_incident_holds_and_names_stable(traffic: Any, question: Question) -> None:
    traffic.steady(canary=(10, 2, 0), stable=(90, 18, 0))
    judgement = await judge(traffic).judge(question)
    assert judgement.reason is Reason.COMMON_MODE
    assert judgement.why.startswith("stable itself fails 20 % (270 of 1,350) in the last 30 s")


async def test_a_missing_bucket_is_said(traffic: Any, question: Question) -> None:
    traffic.steady(canary=(10, 0, 10), stable=(90, 0, 90))
    judgement = await judge(traffic).judge(question)
    assert judgement.reason is Reason.NO_DATA
    assert "bucket" in judgement.why


@pytest.mark.parametrize("scrape", [1, 2, 15, 60])
@pytest.mark.parametrize("lookback", [None, timedelta(minutes=1), timedelta(days=2)])
async def test_the_query_is_aligned_bounded_and_settled(
    traffic: Any, question: Question, scrape: int, lookback: timedelta | None
) -> None:
    policy = Policy(lookback=lookback)
    await judge(traffic, scrape).judge(question.model_copy(update={"policy": policy}))
    (query,) = traffic.queries
    assert query.step % scrape == 0
    assert query.start % query.step == query.end % query.step == 0
    assert query.intervals <= 720
    assert query.end <= NOW - scrape
    wanted = (lookback or min(timedelta(hours=2), timedelta(seconds=720 * scrape))).total_seconds()
    assert wanted <= query.intervals * query.step < wanted + query.step


async def test_the_query_is_valid_and_about_these_arms_only(
    traffic: Any, question: Question
) -> None:
    await judge(traffic).judge(question)
    (query,) = traffic.queries
    promql_parser.parse(query.text)
    assert query.text.count('destination_version="1.1.0-0a1b2c3d"') == query.text.count(
        'destination_version!="1.1.0-0a1b2c3d"'
    )
    assert query.text.count('reporter="source"') == query.text.count("destination_workload=")
