"""The question: every mistake in it is an error that names the field."""

from typing import Any

import pytest
from pydantic import ValidationError

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


def test_the_fail_margin_must_not_exceed_the_pass_margin(asked: dict[str, Any]) -> None:
    asked["policy"] = {"fail_margin": 2}
    assert complaint(asked)[0] == "policy"
