"""Counts: what the answer says and nothing more; what cannot be trusted is left out."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.counts import Counts, birth, implausible, quiet, read, stage_start
from plugin.evidence import Strata
from plugin.indicators import istio
from plugin.prometheus import QueryError, Series
from plugin.promql import SERIES, Query
from plugin.question import Question

Build = Callable[..., Strata]
QUERY = Query("requests", start=1000, end=1090, step=10)


def series(part: str, label: Mapping[str, str], *values: tuple[float, float]) -> Series:
    return Series(metric={SERIES: part, **label}, values=list(values))


def code(value: str) -> dict[str, str]:
    return {"response_code": value}


def counted(question: Question, *answer: Series, warm_up: float = 0) -> Counts:
    indicators = [istio(objective) for objective in question.slo.objectives]
    return read(answer, QUERY, indicators, warm_up)


def of_traffic(*intervals: Sequence[float]) -> Strata:
    """Strata from (canary, stable) requests per interval."""
    canary, stable = np.array(intervals, dtype=np.float64).reshape(-1, 2).T
    return Strata(np.zeros(len(canary)), canary, np.zeros(len(canary)), stable)


def test_response_codes_fold_into_bad_and_total(question: Question) -> None:
    counts = counted(
        question,
        series("canary availability", code("200"), (1010, 7), (1020, 8)),
        series("canary availability", code("404"), (1020, 1)),
        series("canary availability", code("503"), (1020, 2)),
        series("stable availability", code("500"), (1010, 3)),
    )
    strata = counts.strata["availability"][:2]
    assert strata.canary_total.tolist() == [7, 11]
    assert strata.canary_bad.tolist() == [0, 2]
    assert strata.stable_bad.tolist() == [3, 0]


@pytest.mark.parametrize("bound", ["250", "250.0"])
def test_slow_is_what_is_not_within_the_bucket(question: Question, bound: str) -> None:
    """Prometheus 3 writes the bounds of buckets as floats."""
    counts = counted(
        question,
        series("canary latency", {"le": "+Inf"}, (1010, 10)),
        series("canary latency", {"le": bound}, (1010, 6)),
    )
    assert counts.strata["latency"].canary_bad[0] == 4


def test_no_more_requests_are_slow_than_there_are(question: Question) -> None:
    """A scrape may catch a bucket after the request that it misses in the total."""
    counts = counted(
        question,
        series("canary latency", {"le": "+Inf"}, (1010, 10)),
        series("canary latency", {"le": "250"}, (1010, 12)),
    )
    assert counts.strata["latency"].canary_bad[0] == 0


def test_counts_begin_with_the_canarys_first_request(question: Question) -> None:
    counts = counted(
        question,
        series("stable availability", code("200"), *((1000 + 10 * i, 5) for i in range(10))),
        series("canary availability", code("200"), (1040, 1), (1060, 1)),
    )
    assert counts.ends.tolist() == [1040, 1050, 1060, 1070, 1080, 1090]
    assert counts.dropped == 0


def test_the_warm_up_is_left_out(question: Question) -> None:
    every = [(1000 + 10 * i, 5.0) for i in range(10)]
    counts = counted(
        question,
        series("stable availability", code("200"), *every),
        series("canary availability", code("200"), *every[3:]),
        warm_up=20,
    )
    assert (counts.ends[0], counts.dropped) == (1050, 2)


def test_a_counter_that_was_away_too_long_is_left_out(question: Question) -> None:
    """When it is back, its whole past looks like the requests of one interval."""
    every = [(1000 + 10 * i, 5.0) for i in range(10)]
    counts = counted(
        question,
        series("stable availability", code("200"), *every[:6], (1060, 80_000), *every[7:]),
        series("canary availability", code("200"), *every),
    )
    assert counts.dropped == 1
    assert 1060 not in counts.ends
    assert counts.strata["availability"].stable_total.sum() == 45


def test_a_change_of_weight_is_no_jump() -> None:
    traffic = of_traffic(*[(0, 1000)] * 5, *[(900, 100)] * 5)
    counts = Counts({"availability": traffic}, np.arange(10), 1, 0, 0)
    assert not implausible(counts).any()


def test_a_busy_moment_of_a_small_service_is_no_jump() -> None:
    counts = Counts({"availability": of_traffic(*[(0, 1)] * 9, (5, 60))}, np.arange(10), 1, 0, 0)
    assert not implausible(counts).any()


def test_an_earlier_attempt_at_the_same_version_does_not_count() -> None:
    retried = of_traffic((10, 90), (10, 90), *[(0, 100)] * 12, (10, 90), (10, 90))
    assert birth(retried) == 14


def test_an_earlier_attempt_does_not_fail_its_successor_before_its_first_request() -> None:
    assert birth(of_traffic((10, 90), (10, 90), *[(0, 100)] * 12)) is None


def test_a_lull_is_no_new_attempt() -> None:
    assert birth(of_traffic((1, 9), *[(0, 10)] * 50, (1, 9))) == 0


def test_a_release_without_requests_is_not_born() -> None:
    traffic = of_traffic((0, 400), (0, 700))
    assert birth(traffic) is None
    assert quiet(traffic) == 1100


def test_quiet_counts_since_the_canarys_last_request() -> None:
    assert quiet(of_traffic((1, 100), (0, 30), (0, 40))) == 70


@pytest.mark.parametrize(("before", "weight"), [(0.0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.5, 0.75)])
def test_a_stage_starts_when_its_share_arrives(before: float, weight: float) -> None:
    rng = np.random.default_rng(7)
    canary = rng.binomial(100, np.repeat([before, weight], 30)).astype(float)
    start = stage_start(of_traffic(*zip(canary, 100 - canary, strict=True)), weight)
    assert abs(start - 30) <= 1


def test_a_stage_whose_share_has_not_arrived_has_not_started() -> None:
    assert stage_start(of_traffic(*[(10, 90)] * 30), 0.3) == 30
    assert stage_start(of_traffic(), 0.3) == 0


def test_a_series_that_was_not_asked_for_is_refused(question: Question) -> None:
    with pytest.raises(QueryError, match="nonsense"):
        counted(question, series("canary saturation", {}, (1010, 1)))


def test_the_same_series_twice_is_refused(question: Question) -> None:
    """Counting it twice would double the evidence."""
    one = series("canary availability", code("200"), (1010, 1))
    with pytest.raises(QueryError, match="twice"):
        counted(question, one, one)


@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=False, allow_infinity=False),
            st.floats(allow_nan=False, allow_infinity=False),
        ),
        max_size=5,
    )
)
def test_any_samples_are_counted_or_refused(samples: list[tuple[float, float]]) -> None:
    question = Question.model_validate(
        {
            "service": "a",
            "namespace": "b",
            "slo": {"availability": 99},
            "arms": {
                "canary": {"workload": "a", "version": "1"},
                "stable": {"workload": "c"},
            },
        }
    )
    try:
        counts = counted(question, series("canary availability", code("500"), *samples))
    except QueryError:
        return
    strata = counts.strata["availability"]
    assert np.isfinite(strata.canary_total).all()
    assert (strata.canary_bad <= strata.canary_total).all()
