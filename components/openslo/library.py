"""The objects of one file, and how they refer to each other."""

from collections.abc import Sequence
from functools import cached_property
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from components.openslo.documents import Document
from components.openslo.findings import Findings, Place
from components.openslo.model import DataSourceObject, Indicator, IndicatorSpec, Lenient

_Object = TypeVar("_Object", bound=Lenient)

_WANTED = {
    "tuple_type": "a list",
    "model_type": "a mapping",
    "mapping_type": "a mapping",
    "string_type": "text or a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}
"""What stands in a file, by pydantic's names for not finding it."""


class Library:
    """Finds the SLIs and data sources that SLOs name."""

    def __init__(self, documents: Sequence[Document], findings: Findings) -> None:
        self._documents = documents
        self._findings = findings

    def of_kind(self, kind: str) -> list[Document]:
        return [each for each in self._documents if each.kind == kind]

    def place(self, document: Document) -> Place:
        return Place(document.origin, self._findings)

    def parsed(self, document: Document, model: type[_Object]) -> _Object:
        """The document as `model`. Raises OpenSLOError."""
        try:
            return model.model_validate(document.body)
        except ValidationError as error:
            problem = error.errors()[0]
            raise self.place(document).at(*problem["loc"]).refused(_sentence(problem)) from None

    def indicator(self, name: str, asked: Place) -> tuple[IndicatorSpec, Place]:
        """The SLI called `name`, and where it stands. Raises OpenSLOError."""
        found = [each for each in self.of_kind("SLI") if each.name == name]
        if len(found) != 1:
            how_many = f"{len(found)} SLIs are" if found else "no SLI is"
            raise asked.refused(f"{how_many} called {name!r} in this file; put one into it")
        return self.parsed(found[0], Indicator).spec, self.place(found[0]).at("spec")

    @cached_property
    def sources(self) -> dict[str, str | None]:
        """The type of each DataSource, by name."""
        return {
            each.name: self.parsed(each, DataSourceObject).spec.type
            for each in self.of_kind("DataSource")
            if each.name is not None
        }


def _sentence(problem: ErrorDetails) -> str:
    if problem["type"] == "missing":
        return "is missing"
    return (
        f"is {str(problem['input'])[:40]!r}; write {_WANTED.get(problem['type'], 'another value')}"
    )
