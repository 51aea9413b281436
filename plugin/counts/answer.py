"""The parts of the one query, and Prometheus' answer taken apart again.

All arrays run over the same intervals, oldest first.
"""

from collections.abc import Mapping, Sequence
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
    def of(cls, series: Sequence[Series], query: Query, parts: Sequence[Part]) -> "Answer":
        """Raises QueryError if the series are no answer to these parts."""
        known = {part.name: part for part in parts}
        counts: dict[str, dict[tuple[str, ...], Array]] = {
            part.name: {} for part in parts if part.counts
        }
        values: dict[str, Array] = {}
        rows = _rows(series, query)
        counted = np.where(np.isnan(rows), 0, rows)
        least, most = counted.min(axis=1), counted.max(axis=1)
        for at, one in enumerate(series):
            part = known.get(name := one.metric.get(SERIES, ""))
            if part is None:
                raise QueryError(f"Prometheus answered nonsense: a series named {name!r}")
            labels = tuple(one.metric.get(label, "") for label in part.by)
            if labels in counts.get(name, {}) or name in values:
                raise QueryError(f"Prometheus answered nonsense: {name} {labels} twice")
            if not part.counts:
                values[name] = rows[at]
            elif least[at] >= 0 and most[at] <= _MAX_COUNT:
                counts[name][labels] = counted[at]
            else:
                worst = least[at] if least[at] < 0 else most[at]
                raise QueryError(
                    f"Prometheus answered nonsense: {name} grew by {worst:.3g} in one interval"
                )
        return cls(query, counts, values)

    def value(self, name: str) -> Array:
        """A value per interval; NaN throughout if it was never there."""
        return self.values.get(name, np.full(self.query.intervals, np.nan))


def _rows(series: Sequence[Series], query: Query) -> Array:
    """A row per series, a column per interval; NaN where there is no sample."""
    rows = np.full((len(series), query.intervals), np.nan)
    samples = chain.from_iterable(one.values for one in series)
    # All at once, and not by np.array, which looks at every pair for what it is.
    pairs = np.fromiter(chain.from_iterable(samples), np.float64)
    index = np.rint((pairs[::2] - query.start) / query.step)
    if not ((index >= 0) & (index < query.intervals)).all():
        raise QueryError("Prometheus answered nonsense: samples outside of the question")
    row = np.repeat(np.arange(len(series)), [len(one.values) for one in series])
    rows[row, index.astype(np.int64)] = pairs[1::2]
    return rows
