"""Objectives and bounds: what is promised, and errors that name the field."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from plugin.slo import SLO

EVERYTHING: dict[str, Any] = {
    "availability": 99.95,
    "latency": [
        {"percentile": 99, "threshold": "0.5ms"},
        {"percentile": "99.9%", "threshold": "1s"},
    ],
    "ratios": {"paid": {"bad": 'payments{outcome="no"}', "total": "payments", "target": 99}},
    "limits": {"heap": {"value": 'jvm_memory_used_bytes{area="heap"}', "most": 2e9, "for": "2m"}},
    "saturation": {"cpu_throttled": 25, "memory": 90},
    "restarts": 0,
    "window": "28d",
}


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


def test_several_latencies_are_told_apart_by_their_percentile() -> None:
    names = [objective.name for objective in SLO.model_validate(EVERYTHING).objectives]
    assert names == ["availability", "latency_p99", "latency_p99.9", "paid"]


def test_what_is_no_ratio_becomes_a_bound() -> None:
    heap, cpu, memory = SLO.model_validate(EVERYTHING).bounds
    assert (heap.name, heap.most, heap.lasting) == ("heap", 2e9, timedelta(minutes=2))
    assert (cpu.name, cpu.most, cpu.value) == ("cpu_throttled", 0.25, None)
    assert (memory.name, memory.most, memory.least) == ("memory", 0.9, None)


def test_an_slo_survives_being_sent_as_json() -> None:
    sent = SLO.model_validate(EVERYTHING).model_dump(mode="json")
    assert sent["latency"][0]["threshold"] == "0.5ms"
    assert sent["limits"]["heap"]["for"] == "2m"
    assert SLO.model_validate(sent) == SLO.model_validate(EVERYTHING)


def test_what_was_not_promised_is_not_sent() -> None:
    one = {"availability": 99, "latency": {"percentile": 95, "threshold": "1s"}}
    sent = SLO.model_validate(one).model_dump(mode="json", exclude_none=True)
    assert sent == {**one, "restarts": 2, "window": "30d"}


@pytest.mark.parametrize(
    ("slo", "field", "hint"),
    [
        ({"latancy": 1}, "latancy", "Extra inputs"),
        ({"latency": {"percentile": 95, "threshold": "0s"}}, "latency.threshold", "above 0"),
        ({"latency": [{"percentile": 95, "threshold": 1}]}, "latency.0.threshold", "a unit"),
        ({"latency": [EVERYTHING["latency"][0]] * 2}, "latency", "each percentile once"),
        ({"ratios": {"paid": {"total": "a", "target": 99}}}, "ratios.paid", "one of bad and good"),
        (
            {"ratios": {"paid": {"total": "a", "good": "sum(rate(a[5m]))", "target": 99}}},
            "ratios.paid",
            "all events cannot be good",
        ),
        ({"ratios": {"memory": {}}}, "ratios.memory.[key]", "built-in"),
        ({"ratios": {"Paid": {}}}, "ratios.Paid.[key]", "beginning with a letter"),
        ({"limits": {"latency_x": {}}}, "limits.latency_x.[key]", "built-in"),
        ({"limits": {"x": {"value": "a"}}}, "limits.x", "one of most and least"),
        ({"limits": {"x": {"value": "a", "most": 1, "for": "2h"}}}, "limits.x.for", "one hour"),
        ({"limits": {"x": {"value": "a", "most": float("nan")}}}, "limits.x.most", "a number"),
        ({"limits": {"x": {"value": "a", "least": True}}}, "limits.x.least", "a number"),
        ({"restarts": True}, "restarts", "a whole number"),
        ({"saturation": {"memory": 101}}, "saturation.memory", "nothing is ever fuller"),
        ({"window": "1h"}, "window", "at least one day"),
    ],
)
def test_the_field_that_is_wrong_is_named(slo: dict[str, Any], field: str, hint: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SLO.model_validate({"availability": 99, **slo})
    problems = {".".join(map(str, each["loc"])): each["msg"] for each in caught.value.errors()}
    assert hint in problems[field]


def test_an_slo_promises_a_ratio() -> None:
    """Limits alone cannot prove that a release is good."""
    assert "availability, latency or both" in complaint(window="30d")[1]
    assert complaint(limits={"x": {"value": "a", "most": 1}})[0] == ""


def test_a_name_means_one_thing() -> None:
    ratios = {"x": {"bad": "a", "total": "b", "target": 99}}
    assert "rename one" in complaint(ratios=ratios, limits={"x": {"value": "a", "most": 1}})[1]


def test_burn_rates_are_those_of_the_multi_window_alerts() -> None:
    month = SLO(availability=Decimal(99))
    assert month.burn_rate(Decimal("0.02"), timedelta(hours=1)) == Decimal("14.40")
    assert month.burn_rate(Decimal("0.05"), timedelta(hours=6)) == 6
