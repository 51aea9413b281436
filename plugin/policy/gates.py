"""What may keep a release from beginning: closed release windows and a spent error budget. Pure.

Both concern releases that have not had traffic yet. What is under way goes on: half a release is
two versions to run and to understand, and its own failures are what the evidence watches.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from plugin.slo import Model

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))", re.ASCII)
_DAY = timedelta(days=1)


class Weekday(StrEnum):
    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


_WEEK = tuple(Weekday)


class Window(Model):
    """A time of the week in which releases may begin.

    `hours` are wall-clock times of the IANA time zone `zone`, as "09:00-16:30". A window that ends
    no later than it begins ends on the next day; `days` are those it begins on.
    """

    days: tuple[Weekday, ...] = Field(min_length=1, description="days such as mon, tue")
    hours: str = Field(description='from and to, such as "09:00-16:30"')
    zone: str = Field(default="UTC", description='an IANA time zone, such as "Europe/Berlin"')

    @field_validator("hours")
    @classmethod
    def _readable(cls, hours: str) -> str:
        if not _HOURS.fullmatch(hours):
            raise PydanticCustomError(
                "hours", 'write the hours as FROM-TO on a 24-hour clock, such as "09:00-16:30"'
            )
        if hours[:5] == hours[6:]:
            raise PydanticCustomError(
                "hours", 'the window has no length; write the whole day as "00:00-24:00"'
            )
        return hours

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise PydanticCustomError(
                "zone", 'name a time zone of the IANA database, such as "Europe/Berlin" or "UTC"'
            ) from None
        return zone

    def __str__(self) -> str:
        return f"{', '.join(self.days)} {self.hours} {self.zone}"

    def on(self, day: date) -> tuple[datetime, datetime] | None:
        """When this window opens and closes, in UTC, if it begins on `day`; None if it does not.

        When clocks change, a time that does not exist counts as if they had not changed yet, and
        of a time that exists twice the first counts: the rules of RFC 5545, 3.3.5.
        """
        if _WEEK[day.weekday()] not in self.days:
            return None
        begins, ends = self.hours[:5], self.hours[6:]
        last = day + _DAY if ends == "24:00" or ends <= begins else day
        opens = self._instant(day, begins)
        closes = self._instant(last, "00:00" if ends == "24:00" else ends)
        return (opens, closes) if opens < closes else None

    def _instant(self, day: date, clock: str) -> datetime:
        local = datetime.combine(day, time.fromisoformat(clock), ZoneInfo(self.zone))
        return local.astimezone(UTC)


def is_open(windows: Sequence[Window], now: datetime) -> bool:
    """Whether a release may begin at `now`, an aware datetime; without windows it always may."""
    return not windows or any(
        opens <= now < closes for window in windows for opens, closes in _near(window, now)
    )


def next_opening(windows: Sequence[Window], now: datetime) -> tuple[datetime, Window]:
    """The first moment after `now` at which one of the windows (at least one) opens, and which."""
    coming = [
        (opens, window)
        for window in windows
        # A clock change can swallow a window, but not two weeks running.
        for opens, _ in _near(window, now, days=15)
        if opens > now
    ]
    return min(coming, key=lambda each: each[0])


def spent(remaining: Mapping[str, float]) -> str | None:
    """The objective with the least error budget left (fractions of it), if that is none."""
    least = min(remaining, key=lambda name: remaining[name], default=None)
    return least if least is not None and remaining[least] <= 0 else None


def _near(window: Window, now: datetime, days: int = 1) -> list[tuple[datetime, datetime]]:
    """Its times that begin on the two days before `now`, on that day, or within `days` after."""
    today = now.astimezone(ZoneInfo(window.zone)).date()
    each = (window.on(today + offset * _DAY) for offset in range(-2, days + 1))
    return [found for found in each if found]
