"""The public contract of the Service component: what Pulumi reads from it for other languages."""

import json
import typing
from collections.abc import Callable
from typing import Any

import pytest
from pulumi.provider.experimental.component import ComponentProvider
from pydantic import BaseModel

from components.service import Service, ServiceArgs
from components.spec.service import ServiceFields


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json.loads(ComponentProvider([Service], "sluice").schema or "")


def keys(args: type) -> dict[str, Any]:
    """The tree of keys a TypedDict accepts."""
    hints = typing.get_type_hints(args)
    return {key: _below(hint, keys, typing.is_typeddict) for key, hint in hints.items()}


def fields(model: type[BaseModel]) -> dict[str, Any]:
    """The tree of keys a specification accepts."""
    return {
        name: _below(field.annotation, fields, lambda each: hasattr(each, "model_fields"))
        for name, field in model.model_fields.items()
    }


def _below(hint: Any, walk: Callable[[Any], Any], is_tree: Callable[[Any], bool]) -> Any:
    """The tree inside a type such as `dict[str, Ratio]` or `SLO | None`; None for plain ones."""
    if is_tree(hint):
        return walk(hint)
    trees = (_below(inner, walk, is_tree) for inner in typing.get_args(hint))
    return next((tree for tree in trees if tree), None)


def test_the_contract_and_the_specification_know_the_same_keys() -> None:
    """A key in only one of them would be refused, or could not be written."""
    contract = keys(ServiceArgs)
    del contract["slo"]["openslo"]  # read, and replaced by what it holds, before the check
    assert contract == fields(ServiceFields)


def test_only_the_image_is_required(schema: dict[str, Any]) -> None:
    assert schema["resources"]["sluice:index:Service"]["requiredInputs"] == ["image"]


def test_every_input_is_plain_and_explained(schema: dict[str, Any]) -> None:
    """An input that is not known at preview time could neither be shown nor make a version."""
    inputs = schema["resources"]["sluice:index:Service"]["inputProperties"]
    assert set(inputs) == set(ServiceFields.model_fields)
    assert all(each["plain"] and each["description"] for each in inputs.values())
    for kind in schema["types"].values():
        assert all(each["plain"] and each["description"] for each in kind["properties"].values())


def test_the_release_and_the_address_are_outputs(schema: dict[str, Any]) -> None:
    assert set(schema["resources"]["sluice:index:Service"]["properties"]) == {"version", "url"}
