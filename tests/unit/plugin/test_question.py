"""The question: every mistake in it is an error that names the field."""

from datetime import timedelta
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from plugin.indicators import PRESETS, Metrics
from plugin.question import Question


def complaint(asked: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        Question.model_validate(asked)
    error = caught.value.errors()[0]
    return ".".join(map(str, error["loc"])), error["msg"]


@pytest.mark.parametrize("version", ["", "{{args.version}}", 'x",le="', "a" * 64])
def test_a_canary_version_that_is_none_is_refused(asked: dict[str, Any], version: str) -> None:
    """Argo resolves a wrong field reference to the empty string, silently: it matches nothing."""
    asked["arms"]["canary"]["version"] = version
    assert complaint(asked)[0] == "arms.canary.version"


def test_a_missing_canary_version_is_refused(asked: dict[str, Any]) -> None:
    del asked["arms"]["canary"]["version"]
    assert complaint(asked)[0] == "arms.canary.version"


def test_arms_that_share_requests_are_refused(asked: dict[str, Any]) -> None:
    del asked["arms"]["stable"]["not_version"]
    field, message = complaint(asked)
    assert field == "arms"
    assert "not_version" in message


def test_arms_of_two_workloads_need_no_versions(asked: dict[str, Any]) -> None:
    asked["arms"]["stable"] = {"workload": "checkout-primary"}
    assert Question.model_validate(asked).arms.stable.version is None


def test_a_weight_may_come_as_text(asked: dict[str, Any]) -> None:
    """Argo substitutes its arguments inside of JSON strings only."""
    asked["stage"]["weight"] = "30"
    assert Question.model_validate(asked).stage.weight == 30


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("servce", 1),
        ("namespace", "Shop"),
        ("metrics", "datadog"),
        ("stage.weight", 101),
        ("stage.wait", 1),
        ("policy.burst", 0.5),
        ("policy.false_abort", 0),
        ("policy.warm_up", "soon"),
        ("policy.lookback", "10s"),
        ("policy.min_bad", 0),
        ("policy.on_undecided", "pass"),
        ("policy.freeze", "perhaps"),
        ("policy.freeze", "yes"),
        ("policy.burst", True),
        ("policy.burst", "nan"),
        ("policy.min_bad", True),
        ("stage.weight", True),
        ("stage.time", "soon"),
        ("stage.time", "5w"),
        ("answer_within", "10ms"),
        ("slo.latency.threshold", "1.5s"),
        ("arms.canary.workload", "a/b"),
    ],
)
def test_the_field_that_is_wrong_is_named(asked: dict[str, Any], path: str, value: object) -> None:
    *parents, key = path.split(".")
    asked["policy"] = {}
    holder = asked
    for parent in parents:
        holder = holder[parent]
    holder[key] = value
    assert complaint(asked)[0] == path


@pytest.mark.parametrize("path", ["service", "arms.canary.version", "labels.version"])
def test_of_a_name_the_rule_is_said_and_no_regular_expression(
    asked: dict[str, Any], path: str
) -> None:
    asked["labels"] = {}
    *parents, key = path.split(".")
    holder = asked
    for parent in parents:
        holder = holder[parent]
    holder[key] = "1é"
    field, message = complaint(asked)
    assert (field, message.split(" ")[0], "[" in message) == (path, "write", False)


LIMIT = {"most": 1}
RATIO = {"bad": "failed_total", "total": "payments_total", "target": 99}


@pytest.mark.parametrize(
    ("more", "field", "hint"),
    [
        (
            {"ratios": {"paid": {**RATIO, "bad": 'failed_total{version="2"}'}}},
            "slo.ratios.paid.bad",
            "failed_total is already selected by version",
        ),
        (
            {"ratios": {"paid": {**RATIO, "total": 'istio_requests_total{reporter="source"}'}}},
            "slo.ratios.paid.total",
            "selected by reporter",
        ),
        (
            {"ratios": {"paid": {**RATIO, "total": "istio_requests_total"}}},
            "slo.ratios.paid.bad",
            "failed_total and istio_requests_total are scraped from different places",
        ),
        (
            {"limits": {"heap": {**LIMIT, "value": 'a / sum(heap{app=~"x.*"})'}}},
            "slo.limits.heap.value",
            "heap is already selected by app",
        ),
        ({"ratios": {"paid": {**RATIO, "bad": "a / b"}}}, "slo.ratios.paid.bad", "two halves"),
        ({"limits": {"heap": {**LIMIT, "value": "sum("}}}, "slo.limits.heap.value", "no PromQL"),
    ],
)
def test_an_expression_that_cannot_have_arms_is_refused_where_it_is_written(
    asked: dict[str, Any], more: dict[str, Any], field: str, hint: str
) -> None:
    asked["slo"] |= more
    found, message = complaint(asked)
    assert found == field
    assert hint in message


def test_labels_that_are_not_the_arms_are_the_teams_own(asked: dict[str, Any]) -> None:
    """Which ones are depends on the metric, and on how the question says they are called."""
    asked["slo"]["limits"] = {"heap": {**LIMIT, "value": 'heap{app="x",destination_version="1"}'}}
    assert complaint(asked)[0] == "slo.limits.heap.value"
    asked["labels"] = {"workload": "job"}
    assert Question.model_validate(asked).labels.version == "version"


@pytest.mark.parametrize(
    "labels", [{"namespace": "a", "workload": "a"}, {"version": "app"}, {"workload": "namespace"}]
)
def test_a_label_that_should_tell_two_things_is_refused(
    asked: dict[str, Any], labels: dict[str, str]
) -> None:
    """No series could ever match: the release would be held for want of requests."""
    asked["labels"] = labels
    field, message = complaint(asked)
    assert field == "labels"
    assert message.startswith("name three different labels: ")


def test_only_istios_buckets_are_known_beforehand(asked: dict[str, Any]) -> None:
    asked["slo"]["latency"]["threshold"] = "300ms"
    assert complaint(asked)[0] == "slo.latency.threshold"
    asked["metrics"] = "spring"
    assert Question.model_validate(asked).slo.latency[0].threshold.total_seconds() == 0.3


def test_the_fail_margin_must_not_exceed_the_pass_margin(asked: dict[str, Any]) -> None:
    asked["policy"] = {"fail_margin": 2}
    assert complaint(asked)[0] == "policy"


STAGES = [{"weight": 10, "time": "5m"}, {"weight": "30", "time": "4h"}, {"weight": 60}]


@pytest.mark.parametrize(
    ("stage", "seconds", "before"),
    [
        ({"weight": 10}, 300, 0),
        ({"weight": "30"}, 14400, 10),
        ({"weight": 60}, None, 30),
        ({"weight": 20}, None, 10),
        ({"weight": 0}, None, 0),
        ({}, None, 0),
        ({"weight": 10, "time": "90s"}, 90, 0),
        ({"time": "90s"}, 90, 0),
    ],
)
def test_the_present_stage_is_known_by_its_weight(
    asked: dict[str, Any], stage: dict[str, Any], seconds: int | None, before: int
) -> None:
    question = Question.model_validate(asked | {"stage": stage, "stages": STAGES})
    assert question.stage_time == (None if seconds is None else timedelta(seconds=seconds))
    assert question.weight_before == before


@pytest.mark.parametrize(
    ("weight", "exposure"), [(10, 0.3), (20, 0.3), (30, 0.6), (60, 1), (99, 1), (None, 1)]
)
def test_a_pass_exposes_the_next_stages_share_of_the_traffic(
    asked: dict[str, Any], weight: int | None, exposure: float
) -> None:
    question = Question.model_validate(asked | {"stage": {"weight": weight}, "stages": STAGES})
    assert question.exposure == exposure
    alone = Question.model_validate(asked | {"stage": {"weight": weight}})
    assert alone.exposure == 1


@pytest.mark.parametrize(
    ("change", "hours"),
    [
        ({}, 2),
        ({"stages": [{"weight": 10, "time": "5m"}]}, 2),
        ({"stages": STAGES}, 1.25 * (4 + 1 / 12) + 1 / 6),
        ({"stages": [{"weight": 10, "time": "3d"}]}, 48),
        ({"stages": STAGES, "policy": {"lookback": "1h"}}, 1),
    ],
)
def test_counts_reach_back_as_far_as_the_stages_take(
    asked: dict[str, Any], change: dict[str, Any], hours: float
) -> None:
    question = Question.model_validate(asked | change)
    assert question.lookback(timedelta(hours=2)) == timedelta(hours=hours)


def test_whatever_can_be_named_is_known(asked: dict[str, Any]) -> None:
    assert set(get_args(Metrics)) == PRESETS.keys()
    for name in PRESETS:
        assert Question.model_validate(asked | {"metrics": name}).indicators
