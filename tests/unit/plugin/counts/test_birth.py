"""A release begins with the first request of this attempt, and none before it counts."""

import numpy as np
import pytest

from plugin.counts.birth import attempt_of, birth, quiet
from tests.unit.plugin.traffic import of_traffic


def test_an_earlier_attempt_at_the_same_version_does_not_count() -> None:
    retried = of_traffic((10, 90), (10, 90), *[(0, 100)] * 12, (10, 90), (10, 90))
    assert birth(retried, 30) == 14


def test_an_earlier_attempt_does_not_fail_its_successor_before_its_first_request() -> None:
    assert birth(of_traffic((10, 90), (10, 90), *[(0, 100)] * 12), 30) is None


def test_a_missed_scrape_is_no_absence_whatever_was_served_meanwhile() -> None:
    missed = ((150, 1350), (0, 1350), (150, 1350))
    assert birth(of_traffic(*missed), 15) == 0
    assert birth(of_traffic(*missed[:2]), 15) == 0
    assert birth(of_traffic(*missed), 300) == 2
    assert birth(of_traffic(*missed[:2]), 300) is None


def test_a_lull_is_no_new_attempt() -> None:
    assert birth(of_traffic((1, 9), *[(0, 10)] * 50, (1, 9)), 15) == 0


def test_a_release_without_requests_is_not_born() -> None:
    traffic = of_traffic((0, 400), (0, 700))
    assert birth(traffic, 150) is None
    assert quiet(traffic) == 1100


def test_a_release_begins_with_its_pods_where_they_are_known() -> None:
    """Neither a short absence nor a long silence says more than they do."""
    retried = of_traffic((10, 90), (10, 90), (0, 100), (10, 90))
    assert birth(retried, 15, attempt=2) == 3
    silent = of_traffic((10, 90), *[(0, 100)] * 20)
    assert birth(silent, 15, attempt=0) == 0
    assert birth(silent, 15, attempt=1) is None


def test_a_release_begins_with_a_request_that_names_its_version() -> None:
    unreached = of_traffic((5, 9), (10, 9), (10, 9))
    assert birth(unreached, 15, by_name=np.array([0.0, 0.0, 10.0])) == 2
    assert birth(unreached, 15, by_name=np.zeros(3)) is None


NAN = float("nan")


@pytest.mark.parametrize(
    ("canary", "stable", "requests", "attempt"),
    [
        ([NAN, NAN, NAN], [1, 1, 1], [0, 0, 0], None),
        ([NAN, NAN, NAN], [NAN, NAN, NAN], [1, 1, 1], None),
        ([2, 2, 2], [1, 1, 1], [0, 1, 1], 0),
        ([2, NAN, 2], [1, 1, 1], [1, 0, 1], 2),
        ([2, 0, 2], [1, 1, 1], [1, 0, 1], 2),
        ([2, NAN, 2], [1, NAN, 1], [1, 0, 1], 0),
        ([2, NAN, 2], [1, 1, 1], [1, 5, 1], 0),
        ([2, NAN, NAN], [1, 1, 1], [1, 0, 0], 3),
    ],
    ids=[
        "never seen",
        "nobody looked",
        "there all the time",
        "away in between",
        "scaled to zero in between",
        "nobody looked in between",
        "away, and its callers were refused",
        "gone",
    ],
)
def test_an_attempt_begins_when_its_pods_come(
    canary: list[float], stable: list[float], requests: list[float], attempt: int | None
) -> None:
    arrays = (np.array(each, dtype=np.float64) for each in (canary, stable, requests))
    assert attempt_of(*arrays) == attempt


def test_quiet_counts_since_the_canarys_last_request() -> None:
    assert quiet(of_traffic((1, 100), (0, 30), (0, 40))) == 70
