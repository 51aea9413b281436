"""Property values: between the engine's wire form and plain Python objects.

The markers are part of Pulumi's plugin protocol (sdk/go/common/resource/properties.go).
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf.struct_pb2 import (  # made at import time: unknown to a type checker
    Struct,  # pyright: ignore[reportAttributeAccessIssue]
    Value,  # pyright: ignore[reportAttributeAccessIssue]
)

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Stands for a value that a preview cannot know yet."""

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a marker of the protocol


def decode(message: Struct) -> dict[str, Any]:
    """Plain values: whole numbers become int again (the wire has only doubles, and the API
    server takes no 3.0 for an integer), nulls are left out, secrets are unwrapped.
    """
    return {key: _plain(value) for key, value in message.fields.items() if _given(value)}


def encode(values: Mapping[str, Any]) -> Struct:
    message = Struct()
    message.update(values)
    return message


def secret(value: Any) -> dict[str, Any]:
    """Marked so that the engine encrypts it in the state and never prints it."""
    return {_SIGNATURE: _SECRET, "value": value}


def has_unknowns(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_unknowns(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknowns(item) for item in value)
    return value == UNKNOWN


def _given(value: Value) -> bool:
    return value.WhichOneof("kind") not in (None, "null_value")


def _plain(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            fields = decode(value.struct_value)
            return fields["value"] if fields.get(_SIGNATURE) == _SECRET else fields
        case "list_value":
            return [_plain(item) for item in value.list_value.values]
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
    return None
