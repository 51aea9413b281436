"""A clock that Prometheus does not share decides nothing; the time an answer takes is no fault."""

from email.utils import formatdate
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.prometheus import ConfigError
from plugin.prometheus.clock import CLOCK_TOLERANCE, ahead, check_clock

NOW = 1_800_000_000.0

seconds = st.integers(0, 8)


def dated(at: float, **more: str) -> dict[str, str]:
    return {"Date": formatdate(floor(at), usegmt=True), **more}


@given(asks=seconds, answers=seconds, fraction=st.floats(0, 1, exclude_max=True))
def test_clocks_that_agree_are_never_found_to_differ(
    asks: int, answers: int, fraction: float
) -> None:
    """Whatever time it takes there and back, and although the header has whole seconds only."""
    made = NOW + fraction
    assert ahead(dated(made), made - asks, made + answers) == 0


@given(off=st.integers(-(10**6), 10**6), asks=seconds, answers=seconds)
def test_a_difference_is_found_up_to_the_time_it_took(off: int, asks: int, answers: int) -> None:
    found = ahead(dated(NOW), NOW + off - asks, NOW + off + answers)
    assert abs(off) - asks - answers - 1 <= abs(found) <= max(0, abs(off))
    assert found * off >= 0


@pytest.mark.parametrize(
    ("off", "says"), [(-240, "240 s behind Prometheus'"), (241, "240 s ahead of Prometheus'")]
)
def test_minutes_are_said_with_their_direction(off: float, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        check_clock(dated(NOW), NOW + off, NOW + off, CLOCK_TOLERANCE)


@pytest.mark.parametrize("off", [-CLOCK_TOLERANCE, -2, 2, CLOCK_TOLERANCE])
def test_seconds_are_no_matter(off: float) -> None:
    check_clock(dated(NOW), NOW + off, NOW + off, CLOCK_TOLERANCE)


def test_what_a_cache_has_kept_is_older_by_its_age() -> None:
    check_clock(dated(NOW - 300, Age="300"), NOW, NOW, CLOCK_TOLERANCE)


@given(date=st.text() | st.just("Mon, 01 Jan 0001 00:00:00 +9999"), age=st.text())
def test_without_a_readable_date_nothing_is_known(date: str, age: str) -> None:
    check_clock({"Date": date, "Age": age}, NOW, NOW, CLOCK_TOLERANCE)
    check_clock({}, NOW, NOW, CLOCK_TOLERANCE)
