"""What is wrong with a file, and what was passed over."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace


class OpenSLOError(ValueError):
    """A file that cannot be used. Each line of the message names file, object, field and fix."""


@dataclass
class Findings:
    """Everything found so far, one line each: file, object, field, and the fix."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Keep what is refused inside and go on after it, so that all errors are told at once."""
        try:
            yield
        except OpenSLOError as error:
            self.errors.append(str(error))


@dataclass(frozen=True)
class Place:
    """A field of an object: `origin` is its file and object, `path` the way to the field."""

    origin: str
    findings: Findings
    path: str = ""

    def at(self, *steps: str | int) -> "Place":
        return replace(self, path=".".join(filter(None, [self.path, *map(str, steps)])))

    def refused(self, problem: str) -> OpenSLOError:
        """The error to raise about this field. `problem` says what to write."""
        return OpenSLOError(self._line(problem))

    def warn(self, remark: str) -> None:
        """Remark on what is understood although it is not quite as OpenSLO wants it."""
        if (line := self._line(remark)) not in self.findings.warnings:
            self.findings.warnings.append(line)

    def _line(self, text: str) -> str:
        return ": ".join(filter(None, [self.origin, self.path, text]))
