"""What is the past of a counter and no traffic is left out; traffic is not, however it changes."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.counts.jumps import comes_in_bursts, jumps
from plugin.statistics.evidence import Strata

Row = tuple[float, float]
USUAL: Row = (150, 1350)


def dropped(intervals: Sequence[Row], seconds: int = 15) -> list[int]:
    canary, stable = np.array(intervals, dtype=np.float64).reshape(-1, 2).T
    none = np.zeros(len(canary))
    return np.flatnonzero(jumps(Strata(none, canary, none, stable), seconds)).tolist()


def test_a_small_canary_that_returns_with_its_whole_past_is_a_jump() -> None:
    """It is less than ten times what both arms usually have."""
    away = [*[USUAL] * 10, *[(0.0, 1350.0)] * 20]
    assert dropped([*away, (3_750, 1350), USUAL]) == [30]
    # Two pods, and scrapes at moments of their own.
    assert dropped([*away, (1_900, 1350), (1_900, 1350), USUAL]) == [30, 31]


def test_a_canary_that_returns_with_its_usual_requests_is_none() -> None:
    assert dropped([*[USUAL] * 10, *[(0.0, 1350.0)] * 20, USUAL, USUAL]) == []


def test_scrapes_that_the_query_remembers_are_caught_up_with() -> None:
    assert dropped([*[USUAL] * 10, *[(0.0, 1350.0)] * 19, (3_000, 1350), USUAL]) == []


@pytest.mark.parametrize("since", [1, 2, 3, 30])
def test_a_storage_that_begins_empty_takes_no_lifetime_for_requests(since: int) -> None:
    """The jump is the usual itself for a while."""
    empty: list[Row] = [(0, 0)] * 10
    assert dropped([*empty, (6_000, 39e6), *[USUAL] * since])[0] == 10
    later = [*empty, (0, 39e6), (6_000, 1350), *[USUAL] * since]
    assert dropped(later)[:2] == [10, 11]
    assert not {12, 13, 14} & set(dropped([*later, USUAL, USUAL]))


@pytest.mark.parametrize("before", [0, 10])
def test_a_canary_that_is_born_is_no_jump(before: int) -> None:
    """Not even with more than it has later, as long as stable was there before it."""
    rows: list[Row] = [(0, 0)] * before
    assert dropped([*rows, *[(0.0, 1500.0)] * 5, (900, 600), *[USUAL] * 9]) == []


def test_a_level_that_stays_is_traffic() -> None:
    quiet: list[Row] = [(15, 135)] * 40
    busy: Row = (180, 1620)
    assert dropped([*quiet, *[busy] * 4]) == [40, 41, 42, 43]
    assert dropped([*quiet, *[busy] * 5]) == []
    assert dropped([*quiet, *[busy] * 5, *quiet]) == []
    assert dropped([*quiet, busy, *quiet]) == [40]


def test_a_level_that_stays_is_traffic_however_seldom_it_is_scraped() -> None:
    apart: list[Row] = [(180, 1620), (0, 0)]
    assert dropped([*[(15.0, 135.0)] * 40, *apart * 5]) == []


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=60))
def test_what_stays_within_three_times_is_never_left_out(extra: list[tuple[int, int]]) -> None:
    """Whatever comes and goes: traffic itself is no reason."""
    assert dropped([(30 + canary, 30 + stable) for canary, stable in extra]) == []


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=40))
def test_any_counts_can_be_looked_at(rows: list[tuple[int, int]]) -> None:
    found = dropped(rows)
    assert all(sum(rows[index]) > 0 for index in found)


def bursting(intervals: Sequence[Row], seconds: int = 15) -> bool:
    canary, stable = np.array(intervals, dtype=np.float64).reshape(-1, 2).T
    none = np.zeros(len(canary))
    strata = Strata(none, canary, none, stable)
    return comes_in_bursts(strata, jumps(strata, seconds))


QUIET: list[Row] = [(2, 13)] * 17
BATCH: list[Row] = [USUAL] * 3


@pytest.mark.parametrize(("times", "expected"), [(2, False), (3, True), (9, True)])
def test_traffic_that_comes_in_batches_again_and_again_does(times: int, expected: bool) -> None:
    assert bursting([*[*QUIET, *BATCH] * times, *QUIET]) is expected


def test_a_counter_that_returns_with_any_past_does_not() -> None:
    """Nor does the storage that begins empty, nor both."""
    returned: Row = (150, 1e9)
    assert not bursting([(6_000, 39e6), *[USUAL] * 40, returned, *[USUAL] * 40])


def test_batches_beside_more_traffic_do_not() -> None:
    busy: list[Row] = [(12, 108)] * 180
    assert dropped([*busy, *BATCH, *busy]) == [180, 181, 182]
    assert not bursting([*busy, *BATCH] * 3)


def test_a_batch_with_holes_in_it_is_one() -> None:
    """Scrapes fail, or are rarer than the intervals."""
    torn: list[Row] = [USUAL, (0, 0), USUAL, (0, 0), USUAL]
    assert dropped([*QUIET, *torn, *QUIET]) == [17, 19, 21]
    assert not bursting([*QUIET, *torn, *QUIET])
