"""A value tells of the canary alone if all that it is made of was there for as long as it reads."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plugin.signals.scraped import throughout

NAN = float("nan")
STEP = 60
NOTHING = [NAN] * 12


def known(
    series: list[float],
    reach: int = 0,
    since: int = 0,
    failed: list[float] = NOTHING,
    *,
    least: bool = True,
) -> list[bool]:
    seen, down = (np.array(one, dtype=np.float64) for one in (series, failed[: len(series)]))
    return throughout(seen, down, least=least, reach=reach, step=STEP, since=since).tolist()


def test_where_series_come_a_value_of_now_is_known_and_a_range_when_it_is_full() -> None:
    assert known([NAN, 1, 1, 1, 1]) == [False, True, True, True, True]
    assert known([NAN, 1, 1, 1, 1], reach=2) == [False, False, False, True, True]
    assert known([1, 1, 2, 2, 2], reach=2) == [False, False, False, False, True]


def test_what_has_just_come_cannot_make_a_value_too_large() -> None:
    """The first error is a series of its own, and a limit on errors need not wait for more."""
    assert known([NAN, 1, 2, 2, 3], reach=1, least=False) == [False, True, True, True, True]
    assert known([2, 2, NAN, 2, 1], reach=1, least=False) == [False, True, False, True, False]


def test_where_fewer_series_are_seen_they_may_not_be_scraped() -> None:
    """After five minutes they are gone."""
    assert known([2, 2, 1, 1, 1, 1, 1, 1, 1]) == [True, True, *[False] * 5, True, True]


def test_a_range_over_a_hole_is_unknown_until_it_has_passed() -> None:
    assert known([1, 1, NAN, 1, 1, 1], reach=1) == [False, True, False, False, True, True]


def test_a_range_lies_within_the_release() -> None:
    assert known([1] * 6, reach=2, since=1) == [False, False, False, True, True, True]
    assert known([1] * 4, since=2) == [False, False, True, True]


def test_a_target_that_cannot_be_scraped_is_a_fault_for_as_long_as_it_lasts() -> None:
    failed = [0, NAN, 1, 1, NAN, NAN]
    assert known([2] * 6, failed=failed) == [True, True, False, False, True, True]
    assert known([2] * 6, reach=1, failed=failed) == [False, True, False, False, False, True]


@given(st.lists(st.sampled_from([NAN, 1.0, 2.0]), min_size=1, max_size=12), st.integers(0, 4))
def test_a_shorter_range_is_never_known_later(series: list[float], reach: int) -> None:
    for least in (True, False):
        longer, shorter = (known(series, one, least=least) for one in (reach + 1, reach))
        assert all(short or not long for long, short in zip(longer, shorter, strict=True))
