"""`ignore_changes` on an object that other controllers write to as well. Pure.

The engine already hides ignored paths from the diff. An apply must also not send them, or it
would take the field back from the controller that has written it meanwhile. As in the real
provider: a field that only others manage is left out of the apply; any other is sent with its
live value. A path through a list (`spec.http[0]`) has no such meaning there, nor here.
"""

import copy
from collections.abc import Sequence
from typing import Any

from sandbox.pulumi import paths
from sandbox.pulumi.objects import Object, metadata
from sandbox.pulumi.paths import Path


def without_ignored(body: Object, live: Object, ignored: Sequence[Path], manager: str) -> Object:
    """The apply body for `live`, with each ignored path left out or set to what is live."""
    result = copy.deepcopy(body)
    for path in ignored:
        keys = [step for step in path if isinstance(step, str) and step != "*"]
        if len(keys) < len(path):
            continue
        exists, value = paths.find(live, keys)
        owners = managers(live, keys)
        if not exists or (owners and manager not in owners):
            _remove(result, keys)
        else:
            _put(result, keys, copy.deepcopy(value))
    return result


def managers(live: Object, keys: Sequence[str]) -> set[str]:
    """Who manages the field at a path of keys, or anything inside it."""
    return {
        str(entry.get("manager"))
        for entry in metadata(live).get("managedFields", [])
        if _holds(entry.get("fieldsV1", {}), keys)
    }


def _holds(fields: dict[str, Any], keys: Sequence[str]) -> bool:
    for key in keys:
        if f"f:{key}" not in fields:
            return False
        fields = fields[f"f:{key}"]
        # A set without members is a whole: an atomic map is managed with all it holds.
        if not fields:
            return True
    return True


def _remove(tree: dict[str, Any], keys: Sequence[str]) -> None:
    exists, parent = paths.find(tree, keys[:-1])
    if exists and isinstance(parent, dict):
        parent.pop(keys[-1], None)


def _put(tree: dict[str, Any], keys: Sequence[str], value: Any) -> None:
    for key in keys[:-1]:
        tree = tree.setdefault(key, {})
    tree[keys[-1]] = value
