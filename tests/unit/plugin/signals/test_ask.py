"""What is asked for signals: one sample is never enough for what has to last."""

from typing import Any

import pytest

from plugin.judge.plan import plan
from plugin.question import Question
from plugin.signals.pods import Pods


@pytest.mark.parametrize(
    ("lasting", "scrape_interval", "held"),
    [("2m", 15, 60), ("2m", 2, 60), ("1m", 30, 60), ("10m", 15, 120), ("0s", 15, 30)],
)
def test_a_sample_of_a_limit_is_held_for_two_scrapes_or_half_the_time_it_has_to_last(
    asked: dict[str, Any], lasting: str, scrape_interval: int, held: int
) -> None:
    asked["slo"]["limits"] = {"queue": {"value": "queue_length", "most": 5, "for": lasting}}
    question = Question.model_validate(asked)
    asked_for, _ = plan(question, scrape_interval, "source", 1_800_000_000.0)
    (text,) = (part.text for part in asked_for.parts if part.name == "canary queue")
    assert "last_over_time(queue_length{" in text
    assert f"[{held * 1000}ms]" in text


def test_the_last_sample_of_a_gauge_before_an_outage_does_not_hold_for_minutes() -> None:
    pods = Pods("shop", "checkout", [("app", "=", "checkout")])
    assert "last_over_time(container_memory_working_set_bytes{" in pods.memory(15, "last")
    assert "[2m] @ end()" in pods.crash_loop(recently=False)
