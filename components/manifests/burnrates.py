"""The windows and burn rates at which somebody is told that an error budget is being spent.

Source: Google, The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts",
whose table is for an SLO over 30 days. For another window its lengths are scaled, so that an alert
stands for the same share of the budget and leaves the same part of the window to act.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from plugin.slo import SLO

SHORTEST = timedelta(minutes=5)
"""Below this a rate has too few scrapes to mean something."""

_LENGTHS = (
    SHORTEST,
    *(timedelta(minutes=minutes) for minutes in (10, 15, 30)),
    *(timedelta(hours=hours) for hours in (1, 2, 3, 6, 12)),
    *(timedelta(days=days) for days in (1, 2, 3, 6, 12, 24, 48)),
)
"""The windows that are used: few, so that objectives share the names that people know."""

_TABLE_WINDOW = timedelta(days=30)
_SHORT = 12  # the short window, which ends an alert soon after its cause, is 1/12 of the long one


class Severity(StrEnum):
    """How soon a person has to act."""

    PAGE = "page"
    TICKET = "ticket"


_TABLE = (
    (Severity.PAGE, timedelta(hours=1), Decimal("0.02")),
    (Severity.PAGE, timedelta(hours=6), Decimal("0.05")),
    (Severity.TICKET, timedelta(days=1), Decimal("0.10")),
    (Severity.TICKET, timedelta(days=3), Decimal("0.10")),
)
"""Severity, long window, and the share of the budget that is spent within it."""


@dataclass(frozen=True)
class Burn:
    """Too fast: both windows see more than `rate` times the bad ratio that the budget allows."""

    severity: Severity
    long: timedelta
    short: timedelta
    rate: Decimal


def burns(slo: SLO, budget: Decimal) -> list[Burn]:
    """The conditions worth an alert for an objective of `slo` that leaves `budget` (a fraction).

    Left out is what could not tell anything: windows that are too short for a rate, and rates
    that would take more than all requests to be bad. A burn rate of 1 spends exactly the budget;
    nobody is told of less.
    """
    scaled = [
        (severity, _nearest(period * (slo.window / _TABLE_WINDOW)), share)
        for severity, period, share in _TABLE
    ]
    found = [
        Burn(severity, long, _nearest(long / _SHORT), _rate(slo, share, long))
        for severity, long, share in scaled
    ]
    return [burn for burn in found if burn.short < burn.long and burn.rate * budget < 1]


def _rate(slo: SLO, share: Decimal, long: timedelta) -> Decimal:
    return max(round(slo.burn_rate(share, long), 3), Decimal(1)).normalize()


def _nearest(period: timedelta) -> timedelta:
    """The usable window nearest to `period`, by ratio."""
    return min(_LENGTHS, key=lambda each: max(each / period, period / each))
