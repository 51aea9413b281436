"""The parts of the one query, and Prometheus' answer taken apart again.

All arrays run over the same intervals, oldest first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from plugin.prometheus import QueryError, Series
from plugin.promql.query import SERIES, Query, labelled, labelled_sum
from plugin.statistics.evidence import Array

_MAX_COUNT = 1e12


@dataclass(frozen=True)
class Part:
    """One part of the query: counts summed `by` labels, or (without them) a value.

    With `zeros` also series that count nothing are answered, so that they are known to be there.
    """

    name: str
    text: str
    by: tuple[str, ...] = ()
    counts: bool = True
    zeros: bool = False

    def __str__(self) -> str:
        if self.counts:
            return labelled_sum(self.text, self.by, self.name, self.zeros)
        return labelled(self.text, self.name)


@dataclass(frozen=True)
class Answer:
    """What each part of the query came to, by the part's name.

    `counts` are per value of the labels they are summed by, and 0 in an interval without a sample;
    a value is NaN there.
    """

    query: Query
    counts: Mapping[str, Mapping[tuple[str, ...], Array]]
    values: Mapping[str, Array]

    @classmethod
    def of(cls, series: Iterable[Series], query: Query, parts: Sequence[Part]) -> "Answer":
        """Raises QueryError if the series are no answer to these parts."""
        known = {part.name: part for part in parts}
        counts: dict[str, dict[tuple[str, ...], Array]] = {
            part.name: {} for part in parts if part.counts
        }
        values: dict[str, Array] = {}
        for one in series:
            part = known.get(name := one.metric.get(SERIES, ""))
            if part is None:
                raise QueryError(f"Prometheus answered nonsense: a series named {name!r}")
            labels = tuple(one.metric.get(label, "") for label in part.by)
            if labels in counts.get(name, {}) or name in values:
                raise QueryError(f"Prometheus answered nonsense: {name} {labels} twice")
            if part.counts:
                counts[name][labels] = _counts(one, query)
            else:
                values[name] = _aligned(one, query, missing=np.nan)
        return cls(query, counts, values)

    def value(self, name: str) -> Array:
        """A value per interval; NaN throughout if it was never there."""
        return self.values.get(name, np.full(self.query.intervals, np.nan))


def _counts(series: Series, query: Query) -> Array:
    """One count per interval; an interval without a sample had no requests."""
    counts = _aligned(series, query, missing=0)
    if len(counts) and (counts.min() < 0 or counts.max() > _MAX_COUNT):
        worst = counts.min() if counts.min() < 0 else counts.max()
        raise QueryError(
            f"Prometheus answered nonsense: {series.metric.get(SERIES)} grew by {worst:.3g} in one "
            "interval"
        )
    return counts


def _aligned(series: Series, query: Query, missing: float) -> Array:
    aligned = np.full(query.intervals, missing, dtype=np.float64)
    if series.values:
        # Several times as fast as np.array, which looks at every pair for what it is.
        pairs = np.fromiter(chain.from_iterable(series.values), np.float64)
        times, values = pairs[::2], pairs[1::2]
        index = np.rint((times - query.start) / query.step)
        if not ((index >= 0) & (index < query.intervals)).all():
            raise QueryError("Prometheus answered nonsense: samples outside of the question")
        aligned[index.astype(np.int64)] = values
    return aligned
