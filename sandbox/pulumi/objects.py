"""Kubernetes objects as the provider sees them: names, annotations, secrets. Pure."""

import base64
import copy
import hashlib
from collections.abc import Sequence
from typing import Any

from sandbox.pulumi.properties import UNKNOWN, secret

AUTONAMED = "pulumi.com/autonamed"
PATCH_FORCE = "pulumi.com/patchForce"
SKIP_AWAIT = "pulumi.com/skipAwait"
TIMEOUT_SECONDS = "pulumi.com/timeoutSeconds"

Object = dict[str, Any]


def metadata(obj: Object) -> dict[str, Any]:
    """Its metadata; empty while a preview does not know it."""
    found = obj.get("metadata")
    return found if isinstance(found, dict) else {}


def annotation(obj: Object, name: str) -> str | None:
    annotations = metadata(obj).get("annotations")
    return annotations.get(name) if isinstance(annotations, dict) else None


def is_set(obj: Object, name: str) -> bool:
    return annotation(obj, name) == "true"


def identifier(obj: Object) -> str:
    """The resource id, as the real provider forms it: `namespace/name` or `name`."""
    names = metadata(obj)
    return "/".join(part for part in (names.get("namespace"), names["name"]) if part)


def split_identifier(text: str) -> tuple[str | None, str]:
    namespace, _, name = text.rpartition("/")
    return namespace or None, name


def type_of(obj: Object) -> tuple[str, str]:
    """(apiVersion, kind)."""
    return str(obj.get("apiVersion")), str(obj.get("kind"))


def kind_of(obj: Object, type_token: str) -> tuple[str, str]:
    """(apiVersion, kind), from the object or, for an object read by its id alone, from the
    resource type `kubernetes:core/v1:Service`.
    """
    _, group_version, kind = type_token.split(":")
    api_version = group_version.removeprefix("core/")
    return str(obj.get("apiVersion", api_version)), str(obj.get("kind", kind))


def named(inputs: Object, old: Object, resource: str, seed: bytes) -> Object:
    """The inputs with a name: the given one, else the one generated before, else the
    resource's name and eight hexadecimal digits that follow from the engine's seed.
    """
    if inputs.get("metadata") == UNKNOWN or "name" in metadata(inputs):
        return inputs
    if is_set(old, AUTONAMED):
        name = metadata(old)["name"]
    else:
        name = f"{resource}-{hashlib.sha256(seed).hexdigest()[:8]}"
    result = copy.deepcopy(inputs)
    names = result.setdefault("metadata", {})
    names["name"] = name
    if names.get("annotations") != UNKNOWN:
        names.setdefault("annotations", {})[AUTONAMED] = "true"
    return result


def unsupported(inputs: Object, type_token: str) -> list[str]:
    """Why the stand-in cannot manage such an object; empty when it can."""
    reasons = []
    if type_token.startswith("kubernetes:helm.sh/") or type_token.endswith(("Patch", "List")):
        reasons.append(
            f"the sandbox's stand-in for the Kubernetes provider has no {type_token}; "
            "install Pulumi with its own plugin for it"
        )
    if "generateName" in metadata(inputs):
        reasons.append(
            "leave metadata.generateName out: an object without a name gets a unique one"
        )
    return reasons


def with_encoded_secret(inputs: Object) -> Object:
    """A Secret's `stringData` as `data`, which is how the API server answers: so that a later
    read can be compared. Every other object as it is.
    """
    if inputs.get("kind") != "Secret" or not isinstance(inputs.get("stringData"), dict):
        return inputs
    plain = inputs["stringData"]
    encoded = {
        key: value if value == UNKNOWN else base64.b64encode(str(value).encode()).decode()
        for key, value in plain.items()
    }
    data = inputs.get("data", {})
    rest = {key: value for key, value in inputs.items() if key != "stringData"}
    return {**rest, "data": {**data, **encoded} if isinstance(data, dict) else data}


def with_secret_data(obj: Object) -> Object:
    """The object with a Secret's payload marked secret."""
    if obj.get("kind") != "Secret":
        return obj
    return {
        key: secret(value) if key in ("data", "stringData") else value for key, value in obj.items()
    }


def state(live: Object) -> Object:
    """What the stack's state keeps of a live object: all but the field managers."""
    kept = {key: value for key, value in metadata(live).items() if key != "managedFields"}
    return {**live, "metadata": kept}


# What the server makes up anew on every dry run, or only later.
_VOLATILE: Sequence[tuple[str, str]] = (
    ("metadata", "uid"),
    ("metadata", "resourceVersion"),
    ("metadata", "creationTimestamp"),
    ("spec", "clusterIP"),
    ("spec", "clusterIPs"),
)


def forecast(dry_run: Object) -> Object:
    """The state a create will have, as far as a dry run tells: the rest is unknown."""
    planned = copy.deepcopy(state(dry_run))
    planned["status"] = UNKNOWN
    for parent, key in _VOLATILE:
        if key in planned.get(parent, {}):
            planned[parent][key] = UNKNOWN
    return planned


def overlaid(live: Any, inputs: Any) -> Any:
    """The live object with new inputs laid over it: an update's outcome as far as it can be
    told without the API server.
    """
    if isinstance(live, dict) and isinstance(inputs, dict):
        return live | {key: overlaid(live.get(key), value) for key, value in inputs.items()}
    return inputs


def pruned(live: Any, shape: Any) -> Any:
    """The part of a live object that the inputs `shape` speak of: the inputs a refresh
    reports, so that the next diff shows what drifted and nothing that the server added.
    """
    if isinstance(live, dict) and isinstance(shape, dict):
        return {key: pruned(live[key], inner) for key, inner in shape.items() if key in live}
    if isinstance(live, list) and isinstance(shape, list) and len(live) == len(shape):
        return [pruned(item, inner) for item, inner in zip(live, shape, strict=True)]
    return live
