"""The one range query of a verdict: exact counts per interval, arm and indicator.

`increase()` never counts a series' first value, and a canary's error series is born with its first
error. So counts are differences of the counters themselves: from zero for a series that was not
there before, and from zero again after a counter reset.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from plugin.promql.matchers import quote

SERIES = "sluice_series"
"""The label that tells the parts of the answer apart: "ARM INDICATOR", and the source's key."""

REPLICAS = ("prometheus_replica", "__replica__", "replica")
"""External labels of Prometheus servers that scrape the same targets twice."""

MEMORY_SECONDS = 300
"""How long a counter's last value is remembered over missed scrapes; an interval, if that is more.
A series that was away for longer counts from zero; `counts` drops the jump that makes."""

Amount = Callable[[str], str]
"""PromQL of samples → PromQL of what is counted of each."""


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
        return _digest(self.text)


@lru_cache(200)
def _digest(text: str) -> str:
    """Remembered, like the text itself (plugin/judge/plan.py)."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def itself(samples: str) -> str:
    """A counter's own value."""
    return samples


def histogram_count(samples: str) -> str:
    """How much a native histogram has counted."""
    return f"histogram_count({samples})"


def histogram_within(bound: Decimal) -> Amount:
    """How much of it is at most `bound`, in its own unit.

    Whole numbers, for a fraction times a count is a little less or more than one; a bound inside
    of a bucket is interpolated. The comparison drops NaN: an empty histogram has no fractions.
    """

    def within(samples: str) -> str:
        fraction = f"histogram_fraction(-Inf, {bound:f}, {samples})"
        return f"(round(histogram_count({samples}) * {fraction}) >= 0)"

    return within


def counted(
    selectors: Iterable[str],
    step: int,
    amount: Amount = itself,
    replicas: Sequence[str] = REPLICAS,
    restarts: bool = False,
) -> str:
    """What each counter of these selectors grew by in the last `step` seconds.

    Smaller than before: reset, so from zero. Absent before: from zero too, unless its last value is
    remembered. `last_over_time` looks past the marks that a failed scrape leaves.

    Counters with `restarts` begin again with the program that is judged. After a restart the target
    is there at once, and its error series only with the next error, by then perhaps with more than
    before. So there a value is remembered only while its whole target is absent, for then scrapes
    were missed.

    A pair of Prometheus servers has every counter twice, told apart by one of the labels
    `replicas`. Of both the larger value counts, which is the later scrape: it never goes back, so
    nothing counts twice, and what one of them missed the other has.
    """
    return " or ".join(_counted(one, step, amount, replicas, restarts) for one in selectors)


def _counted(
    series: str, step: int, amount: Amount, replicas: Sequence[str], restarts: bool
) -> str:
    """The subquery has two samples: the values a step ago and now. So Prometheus reads a counter
    once for both; to compare two whole vectors takes it about twice as long.
    """

    def last(seconds: int) -> str:
        samples = amount(f"last_over_time({series}[{seconds}s])")
        return f"max without ({', '.join(replicas)}) ({samples})" if replicas else samples

    value = seen = last(max(MEMORY_SECONDS, step))
    if restarts:
        seen = last(step)
        value = f"{seen} or ({value} unless on (job, instance) {seen})"
    return f"(idelta(({value})[{step * 1500}ms:{step}s]) >= 0 or {seen})"


def labelled_sum(counts: str, by: Sequence[str], name: str, zeros: bool = False) -> str:
    """Counts summed per value of the labels `by`, marked with `name`.

    Zeros are left out, unless it matters which series are there.
    """
    return labelled(f"sum by ({', '.join(by)}) ({counts}){'' if zeros else ' > 0'}", name)


def labelled(values: str, name: str) -> str:
    """A part of the query, marked with its name."""
    return f'label_replace({values}, "{SERIES}", {quote(name)}, "", "")'


def union(parts: Iterable[str]) -> str:
    return " or ".join(parts)
