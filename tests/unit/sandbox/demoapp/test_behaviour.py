"""Requests fail and are slow as often as the release says."""

from http import HTTPStatus
from random import Random

import pytest

from sandbox.demoapp.behaviour import decide
from sandbox.demoapp.settings import Settings

REQUESTS = 20_000


@pytest.mark.parametrize("ratio", [0.0, 0.05, 0.5, 1.0])
def test_the_share_of_failing_requests_is_the_error_ratio(ratio: float):
    chance = Random(7)
    outcomes = [decide(Settings(error_ratio=ratio), chance) for _ in range(REQUESTS)]
    failed = sum(each.status is HTTPStatus.INTERNAL_SERVER_ERROR for each in outcomes)
    assert failed / REQUESTS == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize("ratio", [0.0, 0.05, 1.0])
def test_the_share_of_failing_orders_is_their_ratio_and_no_status_shows_it(ratio: float):
    chance = Random(7)
    outcomes = [decide(Settings(order_failure_ratio=ratio), chance) for _ in range(REQUESTS)]
    assert sum(each.order_failed for each in outcomes) / REQUESTS == pytest.approx(ratio, abs=0.01)
    assert {each.status for each in outcomes} == {HTTPStatus.OK}


@pytest.mark.parametrize("ratio", [0.0, 0.2, 1.0])
def test_the_share_of_slow_requests_is_the_slow_ratio(ratio: float):
    settings = Settings(latency_ms=10, slow_ratio=ratio, slow_ms=400)
    chance = Random(7)
    outcomes = [decide(settings, chance) for _ in range(REQUESTS)]
    quick = [each.seconds for each in outcomes if each.seconds != 0.4]
    assert 1 - len(quick) / REQUESTS == pytest.approx(ratio, abs=0.01)
    assert all(0.005 <= seconds <= 0.015 for seconds in quick)


def test_slow_and_failing_are_independent():
    settings = Settings(error_ratio=0.5, slow_ratio=0.5, slow_ms=400)
    chance = Random(7)
    outcomes = [decide(settings, chance) for _ in range(REQUESTS)]
    both = sum(each.seconds == 0.4 and each.status != HTTPStatus.OK for each in outcomes)
    assert both / REQUESTS == pytest.approx(0.25, abs=0.02)
