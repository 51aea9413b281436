"""What changed between two sets of inputs, and what of it cannot be changed in place. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sandbox.pulumi import paths
from sandbox.pulumi.objects import AUTONAMED, Object, annotation, metadata, type_of
from sandbox.pulumi.paths import Path


class Change(Enum):
    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


IDENTITY = [("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")]

# Fields of built-in kinds that the API server (or, for ConfigMap and Secret, the real
# provider's policy) does not let change in place.
IMMUTABLE: dict[tuple[str, str], list[Path]] = {
    ("v1", "ConfigMap"): [("data",), ("binaryData",)],
    ("v1", "Secret"): [("data",), ("type",)],
    ("v1", "Service"): [("spec", "clusterIP")],
    ("apps/v1", "Deployment"): [("spec", "selector")],
    ("apps/v1", "DaemonSet"): [("spec", "selector")],
    ("apps/v1", "StatefulSet"): [
        ("spec", "selector"),
        ("spec", "serviceName"),
        ("spec", "podManagementPolicy"),
        ("spec", "volumeClaimTemplates"),
    ],
    ("batch/v1", "Job"): [("spec", "selector"), ("spec", "template")],
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): [("roleRef",)],
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): [("roleRef",)],
}


@dataclass(frozen=True)
class Difference:
    path: Path
    change: Change
    replaces: bool


def differences(old: Object, new: Object, ignored: Sequence[Path] = ()) -> list[Difference]:
    """Every difference between old and new inputs that lies in no ignored path."""
    immutable = IDENTITY + IMMUTABLE.get(type_of(new), [])
    return [
        # A list path may be changed as a whole above the immutable field, so look both ways.
        Difference(path, change, any(_touches(path, fixed) for fixed in immutable))
        for path, change in _walk(old, new, ())
        if not any(paths.covers(pattern, path) for pattern in ignored)
    ]


def replaced_in_place(old: Object, new: Object) -> bool:
    """Whether a replacement takes the name of what it replaces, so that the old object has to
    be deleted first.
    """

    def place(inputs: Object) -> tuple[Any, ...]:
        names = metadata(inputs)
        return inputs.get("kind"), names.get("namespace"), names.get("name")

    return place(old) == place(new) and annotation(new, AUTONAMED) is None


def _touches(path: Path, fixed: Path) -> bool:
    return paths.covers(fixed, path) or paths.covers(path, fixed)


def _walk(old: Any, new: Any, path: Path) -> Iterator[tuple[Path, Change]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key not in new:
                yield (*path, key), Change.DELETE
            elif key not in old:
                yield (*path, key), Change.ADD
            else:
                yield from _walk(old[key], new[key], (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index, (before, after) in enumerate(zip(old, new, strict=False)):
            yield from _walk(before, after, (*path, index))
        for index in range(len(new), len(old)):
            yield (*path, index), Change.DELETE
        for index in range(len(old), len(new)):
            yield (*path, index), Change.ADD
    elif old != new or type(old) is not type(new):
        yield path, Change.UPDATE
