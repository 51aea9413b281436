"""A question is refused with the field as it was written, and with what to write there."""

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from plugin.problem import EXAMPLES, first_problem
from plugin.question import Question

RATIO = {"bad": "failed_total", "total": "payments_total", "target": 99}


def complaint(question: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        Question.model_validate(question)
    return first_problem(caught.value.errors(), ("metadata", "request"))


def required(model: type[BaseModel]) -> Iterator[str]:
    """The fields of a model and of those in it that have no default."""
    for name, field in model.model_fields.items():
        if field.is_required():
            yield name
        for inner in models(field.annotation):
            yield from required(inner)


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models(part)


def test_of_whatever_has_to_be_there_it_is_said_what_to_write() -> None:
    assert set(required(Question)) == EXAMPLES.keys()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"slo": {"latency": {"percentile": 95}}}, "slo.latency.threshold"),
        ({"arms": {}}, "arms.canary"),
        ({"policy": {"windows": [{"days": ["mon"]}]}}, "policy.windows.0.hours"),
    ],
)
def test_what_is_missing_is_shown(
    asked: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    path, message = complaint(asked | change)
    assert path == f"metadata.request.{field}"
    *_, name = field.split(".")
    assert message == f"is missing: write it, such as {EXAMPLES[name]}"


def test_the_examples_are_right() -> None:
    def example(name: str) -> Any:
        return json.loads(EXAMPLES[name])

    written = {
        "service": example("service"),
        "namespace": example("namespace"),
        "slo": example("slo")
        | {
            "latency": {one: example(one) for one in ("percentile", "threshold")},
            "ratios": {"paid": {"bad": "x", **{one: example(one) for one in ("total", "target")}}},
            "limits": {"heap": {"value": example("value"), "most": 1}},
        },
        "arms": example("arms"),
        "policy": {"windows": [{one: example(one) for one in ("days", "hours")}]},
    }
    Question.model_validate(written)
    assert example("arms") == {one: example(one) for one in ("canary", "stable")}
    assert (example("workload"), example("version")) == tuple(example("canary").values())


@pytest.mark.parametrize("kind", ["ratios", "limits"])
def test_a_wrong_name_is_shown_as_it_was_written(asked: dict[str, Any], kind: str) -> None:
    """Pydantic calls it a key of that name."""
    asked["slo"] |= {kind: {"Paid!": RATIO if kind == "ratios" else {"value": "a", "most": 1}}}
    path, message = complaint(asked)
    assert path == f"metadata.request.slo.{kind}.Paid!"
    assert message.startswith("write a name of 1 to 40")
