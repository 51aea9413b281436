"""Turns pydantic's errors into sentences for the person who wrote the value."""

import difflib
import typing
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from plugin.problem import place

Path = tuple[int | str, ...]


class SpecError(ValueError):
    """Values that cannot be used. Each line of the message names a field and the fix."""


def problems(error: ValidationError, model: type[BaseModel]) -> list[tuple[Path, str]]:
    """One (path, sentence) per wrong value of `model`."""
    return [(place(detail["loc"]), _sentence(detail, model)) for detail in error.errors()]


def unknown(kind: str, allowed: Iterable[str], given: str) -> str:
    """The sentence for a name that does not exist, with the nearest one that does."""
    names = sorted(allowed)
    near = difflib.get_close_matches(given, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    return f"is no {kind}; {hint}"


def dotted(path: Path) -> str:
    """Write a path as a person would: ("stages", 1, "weight") is `stages[1].weight`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> str:
    path = detail["loc"]
    fields = _fields_at(model, path[:-1])
    if detail["type"] == "extra_forbidden":
        return unknown("setting", fields, str(path[-1]))
    field = fields.get(str(path[-1])) if path else None
    wanted = f"; it is {field.description}" if field and field.description else ""
    if detail["type"] == "missing":
        return f"is missing{wanted}"
    if detail["type"] == "value_error" or "url" not in detail:  # raised by a validator in this
        return detail["msg"].removeprefix("Value error, ")  # repository: it names value and fix
    message = detail["msg"]
    return f"{message[0].lower()}{message[1:]}, not {detail['input']!r}{wanted}"


def _fields_at(model: type[BaseModel], path: Path) -> dict[str, FieldInfo]:
    """The fields, by the names people write, of the model that `path` leads to."""
    for part in path:
        field = _written(model).get(str(part))
        inner = _models_in(field.annotation) if field else []
        model = inner[0] if inner else model
    return _written(model)


def _written(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in typing.get_args(annotation) for found in _models_in(part)]
