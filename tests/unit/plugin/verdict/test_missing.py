"""Where there is nothing to decide by, the sentence says what is missing, and where to look."""

from typing import Any

import pytest

from plugin.verdict import Reason
from tests.unit.plugin.verdict.sentence import sentence


@pytest.mark.parametrize(
    ("status", "arm"),
    [
        ({"canary": ""}, "the canary (checkout 1.1.0-0a1b2c3d)"),
        ({"canary": "", "stable": ""}, "either arm"),
    ],
)
async def test_requests_without_a_status_pass_nothing_and_the_label_is_named(
    traffic: Any, asked: dict[str, Any], status: dict[str, str], arm: str
) -> None:
    traffic.steady(canary=(10, 0, 0), stable=(90, 0, 0)).status = status
    assert await sentence(traffic, asked) == (
        Reason.NO_DATA,
        f"too many requests to {arm} carry no HTTP status (label response_code) to tell which of "
        "them failed",
    )


async def test_a_canary_in_its_warm_up_is_said_to_be(traffic: Any, asked: dict[str, Any]) -> None:
    steady = traffic.steady(20, canary=(10, 0, 0), stable=(90, 0, 0))
    reason, text = await sentence(steady, asked, policy={"warm_up": "60s"})
    assert reason is Reason.NO_DATA
    assert text.endswith("has been counted yet: its first 1m are warm-up")


async def test_a_canary_that_went_silent_is_told_apart_from_a_silent_service(
    traffic: Any, asked: dict[str, Any]
) -> None:
    traffic.arms = {
        "canary": [(10, 0, 0)] * 30 + [(0, 0, 0)] * 30,
        "stable": [(20, 0, 0)] * 60,
    }
    reason, text = await sentence(traffic, asked)
    assert reason is Reason.NO_DATA
    assert text == "no request to the canary was counted for 63 s: waiting for new ones"
    traffic.arms = {"stable": [(90, 0, 0)] * 60}
    reason, text = await sentence(traffic, asked)
    assert text.endswith("has been counted while stable had its last 5,400")
