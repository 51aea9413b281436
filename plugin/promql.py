"""The one range query of a verdict: exact counts per interval, arm and indicator.

`increase()` never counts a series' first value, and a canary's error series is born with its first
error. So counts are differences of the counters themselves: from zero for a series that was not
there before, and from zero again after a counter reset.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SERIES = "sluice_series"
"""The label that tells the parts of the answer apart: "ARM INDICATOR"."""

_MEMORY = "5m"
"""How long a counter's last value is remembered over missed scrapes. A series that was away for
longer counts from zero; `counts` drops the jump that makes."""


@dataclass(frozen=True)
class Matcher:
    """One label condition; `operator` is =, !=, =~ or !~."""

    label: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.label}{self.operator}{quote(self.value)}"


@dataclass(frozen=True)
class Query:
    """A range query: samples at start, start + step, …, end (Unix seconds, multiples of step)."""

    text: str
    start: int
    end: int
    step: int

    @property
    def intervals(self) -> int:
        return (self.end - self.start) // self.step + 1

    @property
    def digest(self) -> str:
        """Names the text in answers, which have no room for it; the log carries both."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]


def quote(value: str) -> str:
    """A PromQL string literal with exactly this value."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def selector(metric: str, matchers: Iterable[Matcher]) -> str:
    return f"{metric}{{{','.join(map(str, matchers))}}}"


def counted(series: str, step: int) -> str:
    """What each counter of this selector grew by in the last `step` seconds.

    Smaller than before: reset, so from zero. Absent before: from zero too, unless its whole target
    was absent, for then scrapes were missed and its last value counts. (After a restart a target is
    there at once, and its error series only with the next error.) `last_over_time` looks past the
    marks that a failed scrape leaves.
    """
    now = f"last_over_time({series}[{step}s])"
    just_before = f"last_over_time({series}[{step}s] offset {step}s)"
    remembered = f"last_over_time({series}[{_MEMORY}] offset {step}s)"
    missed = f"({remembered} unless on (job, instance) {just_before})"
    return f"({now} - ({just_before} or {missed}) >= 0 or {now})"


def labelled_sum(series: str, by: str, name: str, step: int) -> str:
    """Counts summed per value of the label `by`, marked with `name`; zeros are left out."""
    total = f"sum by ({by}) {counted(series, step)} > 0"
    return f'label_replace({total}, "{SERIES}", {quote(name)}, "", "")'


def union(parts: Mapping[str, tuple[str, str]], step: int) -> str:
    """One query for all parts: name → (selector, label to sum by)."""
    return " or ".join(labelled_sum(series, by, name, step) for name, (series, by) in parts.items())
