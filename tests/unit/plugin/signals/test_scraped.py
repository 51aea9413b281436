"""What a value lacks, and what it has not had for long enough, is known per interval."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plugin.signals.scraped import Scraped

NAN = float("nan")
STEP = 600
NOTHING = [NAN] * 12


def scraped(series: list[float], reach: int = 0, failed: list[float] = NOTHING) -> Scraped:
    seen, down = (np.array(one, dtype=np.float64) for one in (series, failed[: len(series)]))
    return Scraped(seen, down, reach, STEP)


def test_where_fewer_series_are_seen_they_may_not_be_scraped() -> None:
    """After an hour they are gone."""
    assert scraped([2, 2, *[1] * 8]).complete.tolist() == [True, True, *[False] * 6, True, True]


def test_a_range_over_a_hole_is_incomplete_until_it_has_passed() -> None:
    hole: list[float] = [1, 1, NAN, 1, 1, 1]
    assert scraped(hole).complete.tolist() == [True, True, False, True, True, True]
    assert scraped(hole, 1).complete.tolist() == [False, True, False, False, True, True]


def test_a_target_that_cannot_be_scraped_leaves_a_range_incomplete_for_its_length() -> None:
    failed = [0, NAN, 1, 1, NAN, NAN]
    assert scraped([2] * 6, 0, failed).complete.tolist() == [True, True, False, False, True, True]
    incomplete = ~scraped([2] * 6, 1, failed).complete
    assert incomplete.tolist() == [True, False, True, True, True, False]
    assert scraped([2] * 4, 0, failed).failing == 1
    assert scraped([2] * 6, 0, failed).failing == 0


def test_where_series_come_a_range_is_steady_when_it_is_full_of_them() -> None:
    assert scraped([NAN, 1, 1, 1], 2).steady.tolist() == [False, False, False, True]
    assert scraped([1, 1, 2, 2, 2], 2).steady.tolist() == [False, False, False, False, True]
    assert scraped([1, 2, 2]).steady.tolist() == [True, True, True]


def test_a_range_lies_within_the_release() -> None:
    assert scraped([1] * 6, 2).within(1).tolist() == [False, False, False, True, True, True]
    assert scraped([1] * 4).within(2).tolist() == [False, False, True, True]


@given(st.lists(st.sampled_from([NAN, 1.0, 2.0]), min_size=1, max_size=12), st.integers(0, 4))
def test_a_longer_range_is_never_known_where_a_shorter_is_not(
    series: list[float], reach: int
) -> None:
    longer, shorter = scraped(series, reach + 1), scraped(series, reach)
    assert not (longer.complete & ~shorter.complete).any()
    assert not (longer.steady & ~shorter.steady).any()
