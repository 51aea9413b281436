"""The one sentence: what a person needs to know of a verdict, in numbers that can be checked."""

from datetime import UTC, datetime
from typing import Any

import pytest

from plugin.policy.gates import Window, next_opening
from plugin.question import Question
from plugin.verdict import Reason, why
from tests.unit.plugin.verdict.sentence import sentence


async def test_a_canary_that_burns_the_budget_alone(traffic: Any, asked: dict[str, Any]) -> None:
    found = await sentence(traffic.steady(20, canary=(20, 8, 0)), asked, stage={})
    assert found == (
        Reason.SLO_BURN,
        "canary fails 40 % of requests (160 of 400): it spends the error budget more than 14.4 "
        "times too fast, and the SLO allows 1 %",
    )


async def test_a_stage_that_is_not_decided_says_how_far_it_is(
    traffic: Any, asked: dict[str, Any]
) -> None:
    found = await sentence(traffic.steady(20, canary=(10, 0, 0), stable=(90, 0, 0)), asked)
    assert found == (
        Reason.GATHERING,
        "canary fails 0 % of requests (0 of 200) and stable 0 % (0 of 1,800) in this stage: proven "
        "so far is at most 1.77 pp more, promoting takes at most 1 pp and 100 requests",
    )


async def test_a_pass_tells_what_the_next_stage_may_cost_the_service(
    traffic: Any, asked: dict[str, Any]
) -> None:
    stages = [{"weight": 10, "time": "5m"}, {"weight": 30, "time": "5m"}]
    steady = traffic.steady(20, canary=(10, 0, 0), stable=(90, 0, 0))
    reason, text = await sentence(steady, asked, stages=stages)
    assert reason is Reason.NON_INFERIOR
    assert text.endswith(
        "at most 1.77 pp more (0.532 pp of all requests at the next 30 %), and the SLO allows 1 %"
    )


async def test_a_canary_without_its_share_is_told_in_requests(
    traffic: Any, asked: dict[str, Any]
) -> None:
    reason, text = await sentence(traffic.steady(canary=(40, 0, 0), stable=(60, 0, 0)), asked)
    assert reason is Reason.TRAFFIC_SHARE
    assert text == (
        "the canary gets 40 % of the requests (600 of 1,500 in the last 30 s) where its stage "
        "gives it 10 %: waiting for its share"
    )


async def test_a_share_of_few_requests_is_told_for_the_time_they_took(
    traffic: Any, asked: dict[str, Any]
) -> None:
    reason, text = await sentence(traffic.steady(canary=(2, 0, 0), stable=(3, 0, 0)), asked)
    assert reason is Reason.TRAFFIC_SHARE
    assert text.startswith("the canary gets 40 % of the requests (80 of 200 in the last 80 s)")


async def test_an_incident_is_told_for_the_seconds_that_were_looked_at(
    traffic: Any, asked: dict[str, Any]
) -> None:
    traffic.steady(canary=(100, 30, 0), stable=(900, 270, 0))
    reason, text = await sentence(traffic, asked, scrape_interval=15)
    assert reason is Reason.COMMON_MODE
    assert text.startswith("stable itself fails 30 % (810 of 2,700) in the last 45 s")


async def test_a_canary_that_is_better_has_no_negative_numbers(
    traffic: Any, asked: dict[str, Any]
) -> None:
    reason, text = await sentence(
        traffic.steady(canary=(10, 0, 0), stable=(90, 80, 0)),
        asked,
        stages=[{"weight": 10, "time": "5m"}, {"weight": 30, "time": "5m"}],
    )
    assert reason is Reason.NON_INFERIOR
    assert "in this stage: at least " in text
    assert " pp less, and the SLO" in text
    assert "-" not in text


@pytest.mark.parametrize(
    ("now", "waits"),
    [
        ("2026-11-20T16:30", "Mon 23 Nov at 09:00 UTC (in 2 d 16 h)"),
        ("2026-11-23T06:29:30", "Mon 23 Nov at 09:00 UTC (in 2 h 30 min)"),
        ("2026-11-23T08:59:50", "Mon 23 Nov at 09:00 UTC (in 1 min)"),
    ],
)
def test_a_closed_window_tells_the_day_the_hour_and_the_wait(now: str, waits: str) -> None:
    week = Window.model_validate({"days": ["mon", "tue", "fri"], "hours": "09:00-16:30"})
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert waits in why.window_closed(*next_opening([week], moment), moment)


@pytest.mark.parametrize(
    ("remaining", "told"),
    [
        (None, "may begin"),
        ({}, "no recording rule tells what is left"),
        ({"availability": 0.8, "latency": 0.051}, "5.1 % of the latency budget left"),
    ],
)
def test_what_is_left_of_the_budget_is_told(
    asked: dict[str, Any], remaining: dict[str, float] | None, told: str
) -> None:
    assert told in why.may_begin(Question.model_validate(asked), remaining)


async def test_what_was_proven_is_not_said_of_a_canary_that_fails_less_by_now(
    traffic: Any, asked: dict[str, Any]
) -> None:
    """The counts are those of the rollout, and the proof is that of its worst moment."""
    traffic.arms = {
        "canary": [(100, 0, 0)] * 5 + [(100, 50, 0)] * 2 + [(100, 0, 0)] * 60,
        "stable": [(900, 0, 0)] * 67,
    }
    reason, text = await sentence(traffic, asked)
    assert reason is Reason.REGRESSION
    assert "(100 of 6,700)" in text
    assert "it was at least " in text
    assert text.endswith("more when that was proven, and the SLO allows 1 %")
