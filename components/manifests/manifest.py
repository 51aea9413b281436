"""One Kubernetes object, with the two things its declarer must know beyond its content."""

from dataclasses import dataclass
from typing import Any

from components import conventions

Body = dict[str, Any]


@dataclass(frozen=True)
class Manifest:
    """An object to declare.

    Objects are created wave by wave and deleted the other way round: what a controller needs
    exists before the object that starts it. `controlled` are the fields (dotted paths) that a
    controller changes after creation; whoever declares the object must leave them alone.
    """

    body: Body
    wave: int = 0
    controlled: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return self.body["apiVersion"]

    @property
    def kind(self) -> str:
        return self.body["kind"]

    @property
    def name(self) -> str:
        return self.body["metadata"]["name"]


def body(api_version: str, kind: str, metadata: Body, **fields: Any) -> Body:
    """Write an object with its fields in the usual order."""
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def metadata(name: str, namespace: str, owner: str, annotations: Body | None = None) -> Body:
    """Metadata of an object called `name` that belongs to the service `owner`."""
    named: Body = {"name": name, "namespace": namespace, "labels": conventions.labels(owner)}
    return named | ({"annotations": annotations} if annotations else {})
