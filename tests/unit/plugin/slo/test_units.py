"""Units are read once and exactly, and errors say what to write instead."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.slo.units import (
    format_duration,
    parse_duration,
    parse_fullness,
    parse_number,
    parse_percentage,
    parse_switch,
)


@given(st.integers(1, 10**9), st.sampled_from(["ms", "s", "m", "h", "d", "w"]))
def test_durations_are_written_as_they_are_read(number: int, unit: str) -> None:
    duration = parse_duration(f"{number % 10_000}{unit}")
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize("text", ["", "250", "ms", "-1s", "1 s", "1y", "1e3s", "nan", None, 5])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="number and a unit"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (0.999, "not a fraction: 99.9"),
        (100, "below 100"),
        ("almost all", "as a number"),
        (True, "as a number"),
        (float("nan"), "as a number"),
        (None, "as a number"),
        ("99.9999999", "6 decimals at most"),
        ("99." + "9" * 40, "6 decimals at most"),
        ("1." + "0" * 40 + "1", "6 decimals at most"),
    ],
)
def test_what_is_no_percentage_is_refused_with_a_hint(value: object, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        parse_percentage(value)


@pytest.mark.parametrize("text", ["99.999999", "99.999999 %", "99.9" + "0" * 40])
def test_every_percentage_leaves_a_budget(text: str) -> None:
    assert 1 - parse_percentage(text) / 100 >= Decimal("1e-8")


def test_what_is_used_of_a_whole_has_no_budget() -> None:
    assert parse_fullness("90%") == 90
    with pytest.raises(ValueError, match="below 100: nothing is ever fuller"):
        parse_fullness(101)


@pytest.mark.parametrize(("value", "number"), [(3, 3), (1.5, 1.5), (" 2e9 ", 2e9), ("-1", -1)])
def test_numbers_may_come_as_text(value: object, number: float) -> None:
    assert parse_number(value) == number


@pytest.mark.parametrize("value", ["nan", "inf", "x", "", None, True, [1], 10**400, float("nan")])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="write a number"):
        parse_number(value)


def test_a_switch_is_true_or_false_and_nothing_like_it() -> None:
    assert [parse_switch(one) for one in (True, "true", False, "false")] == [
        True,
        True,
        False,
        False,
    ]
    for one in ("yes", "on", 1, 0, None, "", []):
        with pytest.raises(ValueError, match="write true or false"):
            parse_switch(one)
