"""Prometheus' answer is complete and to the question, or it is an error."""

import numpy as np
import pytest

from plugin.counts.answer import Answer, Part
from plugin.prometheus import QueryError, Series
from plugin.promql.query import SERIES, Query

QUERY = Query("requests", start=1000, end=1040, step=10)
COUNTS = Part("canary availability", "a", by=("code", "status"))
VALUE = Part("canary heap", "b", counts=False)


def series(part: Part, *values: tuple[float, float], **labels: str) -> Series:
    return Series(metric={SERIES: part.name, **labels}, values=list(values))


def answer(*given: Series) -> Answer:
    return Answer.of(given, QUERY, [COUNTS, VALUE])


def test_without_a_sample_there_were_no_requests_but_there_is_no_value() -> None:
    found = answer(series(COUNTS, (1010, 2.5), code="200"), series(VALUE, (1020, -7.25)))
    assert found.counts[COUNTS.name][("200", "")].tolist() == [0, 2.5, 0, 0, 0]
    assert found.value(VALUE.name)[2] == -7.25
    assert np.isnan(found.value(VALUE.name)[[0, 1, 3, 4]]).all()


def test_what_was_never_there_is_nothing() -> None:
    assert answer().counts[COUNTS.name] == {}
    assert np.isnan(answer().value(VALUE.name)).all()


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([series(Part("canary cpu", ""), (1010, 1))], "a series named"),
        ([series(COUNTS, (1010, 1)), series(COUNTS, (1020, 1))], "twice"),
        ([series(VALUE, (1010, 1)), series(VALUE, (1020, 1))], "twice"),
        ([series(COUNTS, (990, 1))], "outside"),
        ([series(VALUE, (1050, 1))], "outside"),
        ([series(COUNTS, (1010, -1))], "canary availability grew by -1 in one interval"),
        ([series(COUNTS, (1010, 1e13))], r"grew by 1e\+13 in one interval"),
    ],
)
def test_what_was_not_asked_for_is_refused(given: list[Series], problem: str) -> None:
    with pytest.raises(QueryError, match=problem):
        answer(*given)
