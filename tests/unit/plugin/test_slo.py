"""Objectives: units are read once and exactly, and errors say what to write instead."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from plugin.slo import (
    ISTIO_BUCKETS_MS,
    SLO,
    Latency,
    format_duration,
    parse_duration,
    parse_percentage,
)


def complaint(**slo: object) -> tuple[str, str]:
    """The field and the message of the one thing wrong with this SLO."""
    with pytest.raises(ValidationError) as caught:
        SLO.model_validate(slo)
    (error,) = caught.value.errors()
    return ".".join(map(str, error["loc"])), error["msg"]


def test_objectives_are_exact_ratios() -> None:
    slo = SLO.model_validate(
        {"availability": 99.9, "latency": {"percentile": "95%", "threshold": "0.5s"}}
    )
    availability, latency = slo.objectives
    assert availability.budget == Decimal("0.001")
    assert (latency.target, latency.threshold) == (Decimal("0.95"), timedelta(milliseconds=500))


def test_an_slo_survives_being_sent_as_json() -> None:
    slo = SLO.model_validate(
        {"availability": 99.95, "latency": {"percentile": 99, "threshold": "0.5ms"}}
    )
    assert slo.model_dump(mode="json")["latency"]["threshold"] == "0.5ms"
    assert SLO.model_validate(slo.model_dump(mode="json")) == slo


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
    ],
)
def test_what_is_no_percentage_is_refused_with_a_hint(value: object, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        parse_percentage(value)


def test_a_threshold_between_buckets_is_refused_naming_the_nearest() -> None:
    field, message = complaint(latency={"percentile": 95, "threshold": "300ms"})
    assert field == "latency.threshold"
    assert "250ms or 500ms" in message


@pytest.mark.parametrize(("threshold", "nearest"), [("0.1ms", "0.5ms"), ("2h", "1h")])
def test_a_threshold_beyond_all_buckets_names_the_last(threshold: str, nearest: str) -> None:
    _, message = complaint(latency={"percentile": 95, "threshold": threshold})
    assert message.endswith(f"nearest: {nearest}")


@pytest.mark.parametrize("bucket", ISTIO_BUCKETS_MS)
def test_every_bucket_of_istio_is_a_threshold(bucket: Decimal) -> None:
    latency = Latency.model_validate({"percentile": 95, "threshold": f"{bucket}ms"})
    assert latency.threshold == timedelta(milliseconds=float(bucket))


def test_a_misspelt_key_is_named() -> None:
    assert complaint(availability=99, latancy=1)[0] == "latancy"


def test_an_slo_promises_something() -> None:
    assert "availability, latency or both" in complaint(window="30d")[1]


def test_a_window_has_to_be_a_budget_period() -> None:
    assert complaint(availability=99, window="1h")[0] == "window"


def test_burn_rates_are_those_of_the_multi_window_alerts() -> None:
    month = SLO(availability=Decimal(99))
    assert month.burn_rate(Decimal("0.02"), timedelta(hours=1)) == Decimal("14.40")
    assert month.burn_rate(Decimal("0.05"), timedelta(hours=6)) == 6
