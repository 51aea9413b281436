"""When an alert is worth somebody's attention: the SRE workbook's table, for any SLO window."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.manifests.burnrates import SHORTEST, Severity, burns
from plugin.slo import SLO
from plugin.slo.units import format_duration

Row = tuple[str, str, str, str]


def rows(window: str, budget: str = "0.001") -> list[Row]:
    slo = SLO.model_validate({"availability": 99.9, "window": window})
    return [
        (
            burn.severity.value,
            format_duration(burn.long),
            format_duration(burn.short),
            f"{burn.rate:f}",
        )
        for burn in burns(slo, Decimal(budget))
    ]


def test_thirty_days_are_the_workbooks_own_table() -> None:
    assert rows("30d") == [
        ("page", "1h", "5m", "14.4"),
        ("page", "6h", "30m", "6"),
        ("ticket", "1d", "2h", "3"),
        ("ticket", "3d", "6h", "1"),
    ]


def test_four_weeks_keep_the_windows_and_the_share_of_the_budget() -> None:
    """As Sloth has them, but for the last: 0.93 times the budget's own rate is no problem."""
    assert rows("28d") == [
        ("page", "1h", "5m", "13.44"),
        ("page", "6h", "30m", "5.6"),
        ("ticket", "1d", "2h", "2.8"),
        ("ticket", "3d", "6h", "1"),
    ]


def test_a_week_has_shorter_windows() -> None:
    assert rows("7d") == [
        ("page", "15m", "5m", "13.44"),
        ("page", "1h", "5m", "8.4"),
        ("ticket", "6h", "30m", "2.8"),
        ("ticket", "12h", "1h", "1.4"),
    ]


def test_windows_too_short_for_a_rate_are_left_out() -> None:
    """A day's fast page would be about two minutes: eight scrapes."""
    assert rows("1d")[0] == ("page", "10m", "5m", "7.2")
    assert len(rows("1d")) == 3


@pytest.mark.parametrize(
    ("budget", "rates"),
    [
        ("0.05", ["14.4", "6", "3", "1"]),  # p95: 72 % of the requests must be slow
        ("0.10", ["6", "3", "1"]),  # p90: 144 % of them never are
        ("0.50", ["1"]),
    ],
)
def test_an_alert_that_could_never_fire_is_left_out(budget: str, rates: list[str]) -> None:
    assert [row[3] for row in rows("30d", budget)] == rates


@given(st.integers(24, 24 * 366), st.decimals("0.0001", "0.9"))
def test_what_holds_for_every_slo(hours: int, budget: Decimal) -> None:
    slo = SLO(availability=Decimal("99.9"), window=timedelta(hours=hours))
    for burn in burns(slo, budget):
        assert SHORTEST <= burn.short < burn.long < slo.window
        assert 1 <= burn.rate < 1 / budget
        spent = float(burn.rate) * (burn.long / slo.window)
        least = {Severity.PAGE: 0.02, Severity.TICKET: 0.1}[burn.severity]
        # A rate of 1, where the table would have less, stands for a little more of the budget.
        assert least * 0.999 <= spent <= 0.15
