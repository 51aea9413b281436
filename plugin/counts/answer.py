"""The parts of the one query, and Prometheus' answer taken apart again.

All arrays run over the same intervals, oldest first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np

from plugin.prometheus import QueryError, Series
from plugin.promql.query import SERIES, Query, labelled, labelled_sum
from plugin.statistics.evidence import Array

_MAX_COUNT = 1e12

Key = tuple[str, tuple[str, ...]]
"""A part's name, and the values of the labels that it is summed by."""


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
    """What each part of the query came to: a row of `table` per series, NaN without a sample.

    `rows` says which: of parts that count per value of the labels they are summed by.
    """

    query: Query
    parts: Mapping[str, Part]
    rows: Mapping[Key, int]
    table: Array

    @classmethod
    def of(cls, series: Sequence[Series], query: Query, parts: Sequence[Part]) -> "Answer":
        """Raises QueryError if the series are no answer to these parts."""
        known = {part.name: part for part in parts}
        rows: dict[Key, int] = {}
        for at, one in enumerate(series):
            part = known.get(name := one.metric.get(SERIES, ""))
            if part is None:
                raise QueryError(f"Prometheus answered nonsense: a series named {name!r}")
            labels = tuple(one.metric.get(label, "") for label in part.by)
            if rows.setdefault((name, labels), at) != at:
                raise QueryError(f"Prometheus answered nonsense: {name} {labels} twice")
        answer = cls(query, known, rows, _table(series, query))
        answer._check()
        return answer

    def _check(self) -> None:
        for (name, _), row in self.rows.items():
            counts = self.table[row]
            wrong = counts[(counts < 0) | (counts > _MAX_COUNT)]
            if len(wrong) and self.parts[name].counts:
                raise QueryError(
                    f"Prometheus answered nonsense: {name} grew by {wrong[0]:.3g} in one interval"
                )

    @cached_property
    def counts(self) -> Mapping[str, Mapping[tuple[str, ...], Array]]:
        """By part; an interval without a sample had no requests."""
        counted = np.where(np.isnan(self.table), 0, self.table)
        found: dict[str, dict[tuple[str, ...], Array]] = {
            part.name: {} for part in self.parts.values() if part.counts
        }
        for (name, labels), row in self.rows.items():
            if name in found:
                found[name][labels] = counted[row]
        return found

    def value(self, name: str) -> Array:
        """A value per interval; NaN throughout if it was never there."""
        row = self.rows.get((name, ()))
        return np.full(self.query.intervals, np.nan) if row is None else self.table[row]


def _table(series: Sequence[Series], query: Query) -> Array:
    """A row per series, a column per interval."""
    table = np.full((len(series), query.intervals), np.nan)
    samples = chain.from_iterable(one.values for one in series)
    # All at once, and not by np.array, which looks at every pair for what it is.
    pairs = np.fromiter(chain.from_iterable(samples), np.float64)
    column = np.rint((pairs[::2] - query.start) / query.step)
    if not ((column >= 0) & (column < query.intervals)).all():
        raise QueryError("Prometheus answered nonsense: samples outside of the question")
    row = np.repeat(np.arange(len(series)), [len(one.values) for one in series])
    table[row, column.astype(np.int64)] = pairs[1::2]
    return table
