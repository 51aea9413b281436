"""The alternatives must be as good as their descriptions make them, or the comparison is unfair."""

import numpy as np
import pytest

from benchmarks.verdicts.competitors.kayenta import is_high, kayenta
from benchmarks.verdicts.competitors.threshold import argo, flagger, with_hindsight
from benchmarks.verdicts.competitors.ztest import z_test
from plugin.statistics.evidence import Strata

HOUR = 240


def strata(
    bad: float, *, stable_bad: float = 1.0, begins: int = 0, intervals: int = HOUR
) -> Strata:
    """150 canary and 1350 stable requests per 15 s; the canary turns bad at `begins`."""
    counts = np.array([[0.0], [150.0], [stable_bad], [1350.0]]).repeat(intervals, axis=1)
    counts[0, begins:] = bad
    return Strata(*counts)


def test_argo_aborts_at_the_fourth_failed_measurement() -> None:
    assert argo(strata(bad=10)) == 4 * 20
    assert argo(strata(bad=7)) is None  # 95.3 %


def test_flagger_rolls_back_a_tick_after_the_fifth_failed_check() -> None:
    assert flagger(strata(bad=3)) == 6 * 4
    assert flagger(strata(bad=1.5)) is None  # 99 % passes: the bound is inclusive


def test_failed_checks_add_up_whatever_lies_between() -> None:
    counts = strata(bad=0)
    for minute in (3, 9, 20, 40, 50):
        counts.canary_bad[4 * minute : 4 * minute + 4] = 5
    assert flagger(counts) == 4 * 51 + 4


def test_a_threshold_with_hindsight_waits_a_minute_for_requests() -> None:
    assert with_hindsight(strata(bad=2)) == 4


def test_the_z_test_aborts_at_the_first_significant_look() -> None:
    assert z_test(strata(bad=3)) == 1
    assert z_test(strata(bad=1, stable_bad=9)) is None


@pytest.mark.parametrize(
    ("experiment", "control", "high"),
    [
        # Reports of users, whose outcomes were reproduced from the published algorithm.
        pytest.param([100] * 7 + [1] * 3, [1] * 10, False, id="7 of 10 values a hundredfold"),
        pytest.param([100] * 8 + [1] * 2, [1] * 10, True, id="8 of 10 values a hundredfold"),
        pytest.param([0, 1, 2, 1, 0, 0], [0] * 6, False, id="sparse errors against none"),
        pytest.param([3] * 10, [3] * 10, False, id="constant"),
        pytest.param(range(10, 20), range(10), True, id="all above"),
        pytest.param(range(10), range(10, 20), False, id="all below"),
    ],
)
def test_kayenta_classifies_as_published(
    experiment: list[float], control: list[float], high: bool
) -> None:
    assert is_high(np.array(experiment, dtype=float), np.array(control, dtype=float)) is high


def test_kayenta_looks_every_ten_minutes() -> None:
    random = np.random.default_rng(1)
    counts = strata(bad=0)
    counts.canary_bad[:] = random.poisson(1.5, HOUR)
    counts.stable_bad[:] = random.poisson(1.35, HOUR)
    assert kayenta(counts) == 40


def test_kayenta_needs_no_requests_in_a_minute() -> None:
    counts = strata(bad=1.5, stable_bad=1.35)
    counts.canary_total[8:12] = counts.canary_bad[8:12] = 0
    assert kayenta(counts) == 40
