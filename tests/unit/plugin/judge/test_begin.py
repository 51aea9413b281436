"""What keeps a release from beginning, and what must not."""

from datetime import UTC, datetime
from typing import Any

import promql_parser
import pytest

from plugin.judge import Judge
from plugin.judge.begin import may_begin
from plugin.prometheus import ConfigError, QueryError
from plugin.question import Question
from plugin.verdict import Reason, Verdict

SATURDAY = datetime(2026, 11, 21, 14, 45, tzinfo=UTC)
WEEKDAYS = {"days": ["mon", "tue", "wed", "thu"], "hours": "09:00-16:30", "zone": "Europe/Berlin"}


@pytest.fixture
def judge(traffic: Any) -> Judge:
    return Judge(traffic, 2, clock=SATURDAY.timestamp)


def asking(asked: dict[str, Any], **policy: Any) -> Question:
    return Question.model_validate(asked | {"policy": policy})


async def test_by_default_a_release_may_begin_whatever_is_spent(
    traffic: Any, judge: Judge, asked: dict[str, Any]
) -> None:
    traffic.budget = {"availability": -3.0}
    assert (await may_begin(judge, asking(asked))).reason is Reason.MAY_BEGIN


async def test_a_closed_window_says_when_it_opens(judge: Judge, asked: dict[str, Any]) -> None:
    judgement = await may_begin(judge, asking(asked, windows=[WEEKDAYS]))
    assert judgement.reason is Reason.WINDOW_CLOSED
    assert judgement.why == (
        "outside of the release windows: may begin on Mon 23 Nov at 09:00 Europe/Berlin "
        "(in 1 d 17 h), unless policy.fix names it"
    )


async def test_any_open_window_is_enough(judge: Judge, asked: dict[str, Any]) -> None:
    weekend = {"days": ["sat"], "hours": "12:00-18:00"}
    judgement = await may_begin(judge, asking(asked, windows=[WEEKDAYS, weekend]))
    assert judgement.reason.verdict is Verdict.PASS


async def test_windows_need_no_prometheus(
    traffic: Any, judge: Judge, asked: dict[str, Any]
) -> None:
    traffic.error = QueryError("Prometheus cannot be reached")
    judgement = await may_begin(judge, asking(asked, windows=[WEEKDAYS | {"days": ["sat"]}]))
    assert judgement.reason is Reason.MAY_BEGIN


async def test_a_freeze_holds_while_the_budget_is_spent(
    traffic: Any, judge: Judge, asked: dict[str, Any]
) -> None:
    traffic.budget = {"availability": -0.25, "latency": 0.9}
    judgement = await may_begin(judge, asking(asked, freeze=True))
    assert judgement.reason is Reason.BUDGET_EXHAUSTED
    assert judgement.why == (
        "the error budget for availability is spent (125 % of it in 30d): no release begins, "
        "unless policy.fix names it"
    )
    traffic.budget["availability"] = 0.02
    judgement = await may_begin(judge, asking(asked, freeze=True))
    assert judgement.reason is Reason.MAY_BEGIN
    assert judgement.why.endswith("2 % of the availability budget left")


async def test_a_budget_that_nobody_records_holds_nothing_up(
    judge: Judge, asked: dict[str, Any]
) -> None:
    judgement = await may_begin(judge, asking(asked, freeze=True))
    assert judgement.reason is Reason.MAY_BEGIN
    assert "no recording rule" in judgement.why


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (QueryError("Prometheus cannot be reached"), Reason.QUERY_ERROR),
        (ConfigError("Prometheus answered 401"), Reason.CONFIG_ERROR),
    ],
)
async def test_a_freeze_that_cannot_be_checked_holds(
    traffic: Any, judge: Judge, asked: dict[str, Any], error: Exception, reason: Reason
) -> None:
    """Begun blindly, the release would be held with traffic on it that nobody can see."""
    traffic.error = error
    judgement = await may_begin(judge, asking(asked, freeze=True))
    assert judgement.reason is reason
    assert judgement.reason.verdict is Verdict.UNDECIDED


async def test_the_rules_are_found_with_and_without_a_namespace(
    traffic: Any, judge: Judge, asked: dict[str, Any]
) -> None:
    await may_begin(judge, asking(asked, freeze=True))
    (text,) = traffic.texts
    promql_parser.parse(text)
    assert 'sloth_service="checkout"' in text
    assert 'namespace=~"(shop)?"' in text
    assert text.endswith("} > -Inf)"), "a record that is NaN would freeze releases for ever"
