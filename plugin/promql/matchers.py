"""Label conditions of PromQL, and selectors made of them. Values are always quoted."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Matcher:
    """One label condition; `operator` is =, !=, =~ or !~."""

    label: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.label}{self.operator}{quote(self.value)}"


def quote(value: str) -> str:
    """A PromQL string literal with exactly this value."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def selector(metric: str, matchers: Iterable[Matcher]) -> str:
    return f"{metric}{{{','.join(map(str, matchers))}}}"
