"""A canary fails when it alone is beyond a bound for long; what is not seen fails nothing."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.signals import Signal
from plugin.signals.bounds import within_bounds
from plugin.slo import Bound
from plugin.verdict import Reason, Verdict

NAN = float("nan")
MOST = Bound("heap", most=10, least=None, lasting=timedelta(seconds=30), value="heap_bytes")
LEAST = Bound("pool", most=None, least=10, lasting=timedelta(seconds=30), value="pool_free")
LOW = [1.0] * 9

values = st.lists(st.sampled_from([NAN, 1.0, 10.0, 11.0]), min_size=1, max_size=30)


def judged(canary: list[float], stable: list[float], bound: Bound = MOST, since: int = 0) -> Signal:
    stable = stable[: len(canary)] if len(stable) > 1 else stable * len(canary)
    arms = (np.array(arm, dtype=np.float64) for arm in (canary, stable))
    return within_bounds(bound, *arms, step=10, since=since)


@pytest.mark.parametrize(
    ("canary", "stable", "reason"),
    [
        ([1, 1, 1, 1], LOW, None),
        ([10, 10, 10, 10], LOW, None),
        ([11, 11, 11], LOW, Reason.GATHERING),
        ([11, 11, 11, 11], LOW, Reason.LIMIT_EXCEEDED),
        ([11, 11, 11, 11, 1, 1], LOW, Reason.LIMIT_EXCEEDED),
        ([11, 11, 1, 11, 11], LOW, Reason.GATHERING),
        ([11, 11, NAN, 11, 11], LOW, Reason.GATHERING),
        ([11, 11, 11, 11, 11], [11, 11, 11, 11, 11], Reason.COMMON_MODE),
        ([11, 11, 11, 11, 11], [11, 11, 1, 1, 1], Reason.GATHERING),
        ([11, 11, 11, 11, 11, 11], [11, 11, 1, 1, 1, 1], Reason.LIMIT_EXCEEDED),
        ([NAN, NAN, NAN], LOW, Reason.NO_DATA),
        ([1, NAN, NAN, NAN], LOW, Reason.NO_DATA),
        ([1, NAN, NAN], LOW, None),
        ([11, 11, 11, NAN], LOW, Reason.GATHERING),
        ([11, 11, NAN], [1, 11, NAN], Reason.COMMON_MODE),
        ([11, 11, 11, 11], [NAN], Reason.LIMIT_EXCEEDED),
        ([11, 11, 11, 11], [1, 1, NAN, 1], Reason.GATHERING),
    ],
)
def test_the_release_fails_once_the_canary_alone_was_beyond_it_for_so_long(
    canary: list[float], stable: list[float], reason: Reason | None
) -> None:
    assert judged(canary, stable).reason is reason


def test_a_value_that_is_not_of_the_canary_alone_fails_nothing_and_does_not_pass() -> None:
    beyond, within = np.full(9, 11.0), np.full(9, 1.0)
    for first, reason in ((0, Reason.LIMIT_EXCEEDED), (5, Reason.LIMIT_EXCEEDED)):
        known = np.arange(9) >= first
        assert within_bounds(MOST, beyond, within, 10, 0, known=known).reason is reason
    late = np.arange(9) >= 6
    held = within_bounds(MOST, beyond, within, 10, 0, known=late)
    assert held.reason is Reason.GATHERING
    never = within_bounds(MOST, beyond, within, 10, 0, known=late & False)
    assert "not all of its series were scraped" in never.why
    assert within_bounds(MOST, within, within, 10, 0, known=late & False).reason is None
    beside = within_bounds(MOST, beyond, within, 10, 0, comparable=late & False)
    assert beside.reason is Reason.GATHERING


def test_nothing_passes_while_a_target_of_the_canary_cannot_be_scraped() -> None:
    beyond, within = np.full(9, 11.0), np.full(9, 1.0)
    held = within_bounds(MOST, within, within, 10, 0, failing=2)
    assert held.reason is Reason.NO_DATA
    assert held.why.startswith("2 targets of the canary's that heap is measured on cannot be")
    assert within_bounds(MOST, beyond, within, 10, 0, failing=2).reason is Reason.LIMIT_EXCEEDED


def test_the_other_side_of_a_lower_bound_is_below_it() -> None:
    assert judged([9, 9, 9, 9], [20.0], LEAST).reason is Reason.LIMIT_EXCEEDED
    assert judged([10, 11, 12, 13], [20], LEAST).reason is None


def test_what_was_before_the_release_is_left_out() -> None:
    earlier = [11.0] * 5 + [1.0] * 4
    assert judged(earlier, LOW, since=0).reason is Reason.LIMIT_EXCEEDED
    assert judged(earlier, LOW, since=5).reason is None


def test_a_stable_that_was_measured_before_the_release_may_be_beyond_it_too() -> None:
    """Without a value of it in all of the release, nobody knows."""
    measured, never = [1.0] * 3 + [NAN] * 6, [NAN] * 9
    assert judged([11.0] * 9, measured, since=4).reason is Reason.GATHERING
    assert judged([11.0] * 9, never, since=4).reason is Reason.LIMIT_EXCEEDED


def test_without_a_release_only_now_counts() -> None:
    canary, stable = np.array([11.0] * 9 + [1.0]), np.full(10, 1.0)
    assert within_bounds(MOST, canary, stable, step=10, since=None).reason is None
    assert within_bounds(MOST, canary[:9], stable[:9], 10, None).reason is Reason.LIMIT_EXCEEDED


def test_the_sentence_names_values_bound_and_time() -> None:
    assert judged([11, 11, 11, 11], [2, 2, 2, 2]).why == (
        "the canary's heap is 11 (stable: 2), above the bound 10 for 30s"
    )
    assert "no value for the canary" in judged([NAN], LOW).why


def _seen(stable: list[float]) -> bool:
    return not np.isnan(stable).all()


@given(values, values)
def test_data_faults_decide_nothing(canary: list[float], stable: list[float]) -> None:
    """Values that are taken away never turn a verdict into a failure."""
    length = min(len(canary), len(stable))
    canary, stable = canary[:length], stable[:length]
    whole = judged(canary, stable)
    for missing in range(length):
        torn = [
            [NAN if at == missing else value for at, value in enumerate(arm)]
            for arm in (canary, stable)
        ]
        for found in (judged(torn[0], stable).reason, judged(canary, torn[1]).reason):
            if found is not None and found.verdict is Verdict.FAIL and _seen(torn[1]):
                assert whole.reason is found


@given(values, values, st.integers(0, 30))
def test_a_failure_stays_one_whoever_asks_later(
    canary: list[float], stable: list[float], more: int
) -> None:
    length = min(len(canary), len(stable))
    canary, stable = canary[:length], stable[:length]
    if judged(canary, stable).reason is Reason.LIMIT_EXCEEDED:
        later = judged(canary + [1.0] * more, stable + [1.0] * more)
        assert later.reason is Reason.LIMIT_EXCEEDED
