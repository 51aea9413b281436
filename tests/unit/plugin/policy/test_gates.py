"""Release windows in everybody's own time, and what a spent error budget is."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from plugin.policy.gates import Weekday, Window, is_open, next_opening, spent

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
OFFICE = {"days": ["mon", "tue", "wed", "thu", "fri"], "hours": "09:00-16:30"}


def window(**change: Any) -> Window:
    return Window.model_validate(OFFICE | change)


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


hours = st.lists(st.integers(0, 1439), min_size=2, max_size=2, unique=True).map(
    lambda ends: f"{clock(ends[0])}-{clock(ends[1])}"
)
windows = st.builds(
    Window,
    days=st.lists(st.sampled_from(list(Weekday)), min_size=1, max_size=7, unique=True).map(tuple),
    hours=hours | st.just("00:00-24:00"),
    zone=st.sampled_from(ZONES),
)
# Over all changes of the clocks of these zones in two years.
moments = st.integers(0, 2 * 366 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def test_without_windows_it_is_always_open() -> None:
    assert is_open((), datetime(2026, 12, 25, tzinfo=UTC))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-20T08:59:59", False),  # a Friday
        ("2026-11-20T09:00", True),
        ("2026-11-20T16:29:59", True),
        ("2026-11-20T16:30", False),
        ("2026-11-21T12:00", False),
    ],
)
def test_a_window_is_in_its_own_zones_time(moment: str, expected: bool) -> None:
    for zone in ZONES:
        assert is_open([window(zone=zone)], at(moment, zone)) is expected


def test_a_night_belongs_to_the_day_it_begins_on() -> None:
    night = [window(days=["fri"], hours="22:00-04:00", zone="Europe/Berlin")]
    for moment, expected in (
        ("2026-11-20T03:00", False),
        ("2026-11-20T22:00", True),
        ("2026-11-21T03:59", True),
        ("2026-11-21T04:00", False),
    ):
        assert is_open(night, at(moment, "Europe/Berlin")) is expected


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_the_hours_stay_where_they_are_when_the_clocks_change(zone: str) -> None:
    """A window kept as an offset from UTC would be an hour off for half of the year."""
    every_day = [window(days=list(Weekday), zone=zone)]
    day = date(2026, 1, 1)
    while day < date(2027, 1, 1):
        assert is_open(every_day, at(f"{day}T09:00", zone))
        assert not is_open(every_day, at(f"{day}T08:59", zone))
        assert not is_open(every_day, at(f"{day}T16:30", zone))
        day += timedelta(days=1)


def test_an_hour_that_does_not_exist_is_taken_after_the_change() -> None:
    """On 29 March 2026 the clocks of Berlin go from 2:00 to 3:00."""
    sunday = window(days=["sun"], hours="02:30-05:00", zone="Europe/Berlin")
    assert sunday.on(date(2026, 3, 29)) == (at("2026-03-29T01:30"), at("2026-03-29T03:00"))
    vanished = window(days=["sun"], hours="02:10-02:50", zone="Europe/Berlin")
    assert is_open([vanished], at("2026-03-29T01:20"))


def test_an_hour_that_exists_twice_is_the_first() -> None:
    """On 25 October 2026 the clocks of Berlin go from 3:00 back to 2:00."""
    sunday = window(days=["sun"], hours="02:30-04:00", zone="Europe/Berlin")
    assert sunday.on(date(2026, 10, 25)) == (at("2026-10-25T00:30"), at("2026-10-25T03:00"))


@given(st.lists(windows, min_size=1, max_size=3), moments)
def test_the_next_opening_is_when_a_window_opens_and_the_first_such(
    several: list[Window], now: datetime
) -> None:
    opens, which = next_opening(several, now)
    assert opens > now
    assert which in several
    assert is_open([which], opens)
    assert not is_open([which], opens - timedelta(seconds=1)) or is_open(several, now)
    if not is_open(several, now):
        between = (opens - now) / 50
        assert not any(is_open(several, now + step * between) for step in range(50))


@given(windows, moments)
def test_a_week_later_is_the_same_unless_clocks_changed(one: Window, now: datetime) -> None:
    zone, week = ZoneInfo(one.zone), timedelta(days=7)
    local = now.astimezone(zone)
    changes = {(local + timedelta(days=day)).utcoffset() for day in range(-2, 10)}
    if len(changes) == 1:
        assert is_open([one], now) is is_open([one], now + week)


@given(windows)
def test_a_window_survives_being_written_and_read(one: Window) -> None:
    assert Window.model_validate_json(one.model_dump_json()) == one


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("days", []),
        ("days", ["monday"]),
        ("hours", "9-17"),
        ("hours", "09:00-25:00"),
        ("hours", "24:00-09:00"),
        ("hours", "09:00-09:00"),
        ("zone", "CEST"),
        ("zone", "../etc/passwd"),
        ("zone", ""),
        ("until", "noon"),
    ],
)
def test_a_wrong_window_names_the_field(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        window(**{field: value})
    assert caught.value.errors()[0]["loc"][0] == field


def test_the_budget_is_spent_when_one_objective_has_none_left() -> None:
    assert spent({}) is None
    assert spent({"availability": 0.01, "latency": 1.0}) is None
    assert spent({"availability": 0.3, "latency": 0.0}) == "latency"
    assert spent({"availability": -0.5, "latency": -0.1}) == "availability"
