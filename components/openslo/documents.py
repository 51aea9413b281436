"""YAML text → the OpenSLO objects in it.

A published file is one object, several documents, a list of objects, or a mix of these.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.composer import ComposerError

from components.openslo.findings import OpenSLOError

API_VERSIONS = frozenset({"openslo/v1", "openslo.com/v1"})
"""The second is how the same objects are written as Kubernetes resources."""


@dataclass(frozen=True)
class Document:
    """One object of a file, as it was read. `body` holds text, booleans, null, lists, mappings."""

    source: str
    position: int
    body: Mapping[Any, Any]

    @property
    def kind(self) -> str:
        return str(self.body.get("kind"))

    @property
    def name(self) -> str | None:
        metadata = self.body.get("metadata")
        name = metadata.get("name") if isinstance(metadata, Mapping) else None
        return name if isinstance(name, str) and name else None

    @property
    def service(self) -> str | None:
        """The service that an SLO says it is of."""
        spec = self.body.get("spec")
        service = spec.get("service") if isinstance(spec, Mapping) else None
        return service if isinstance(service, str) and service else None

    @property
    def origin(self) -> str:
        """Where to look: the file and the object, such as "slos.yaml: SLO checkout"."""
        return f"{self.source}: {self.kind} {self.name or f'(object {self.position})'}"


_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """Reads scalars as they are written.

    99.9 stays exact, and `startTime: 2024-01-01 00:00:00` does not turn into a date.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own class attribute
        first: [
            (tag, pattern)
            for tag, pattern in resolvers
            if tag.rpartition(":")[2] in {"null", "bool", "merge"}
        ]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Refuses a key that is there twice: of two objectives one would not be kept."""
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            if key.value in seen:
                problem = f"the key {key.value} is there twice; remove one"
                raise ComposerError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return node


def read(text: str, source: str) -> list[Document]:
    """The OpenSLO v1 objects of a file; what is not OpenSLO's is left out.

    Raises OpenSLOError for text that is no YAML, which has each key once, and for another version
    of OpenSLO.
    """
    bodies = list(_objects(_parsed(text, source)))
    found = [
        Document(source, position, body)
        for position, body in enumerate(bodies, start=1)
        if str(body.get("apiVersion")).startswith("openslo")
    ]
    if not found:
        raise OpenSLOError(
            f"{source}: there is no OpenSLO object in it; one begins with apiVersion: openslo/v1"
        )
    old = [each for each in found if each.body["apiVersion"] not in API_VERSIONS]
    if old:
        raise OpenSLOError(
            "\n".join(
                f"{each.origin}: apiVersion: {each.body['apiVersion']} cannot be read; rewrite the "
                "object for openslo/v1"
                for each in old
            )
        )
    return found


def _parsed(text: str, source: str) -> list[Any]:
    try:
        return list(yaml.load_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = error.problem or error.context
        raise OpenSLOError(f"{source}: is no YAML:{where}: {problem}") from None
    except Exception as error:
        # Text that YAML does not allow, nesting that is too deep, and whatever PyYAML's
        # constructors raise for an explicit tag on other text.
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise OpenSLOError(f"{source}: is no YAML: {problem}") from None


def _objects(documents: list[Any]) -> Iterator[Mapping[Any, Any]]:
    for document in documents:
        for each in document if isinstance(document, list) else [document]:
            if isinstance(each, Mapping):
                yield each
