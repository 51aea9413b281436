"""Counts: what the answer says and nothing more; what cannot be trusted is left out."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.counts.answer import Answer
from plugin.counts.counts import Counts, implausible, parts, read
from plugin.prometheus import QueryError, Series
from plugin.promql.query import SERIES, Query
from plugin.question import Question
from plugin.statistics.evidence import Strata
from tests.unit.plugin.traffic import of_traffic

Build = Callable[..., Strata]
QUERY = Query("requests", start=1000, end=1090, step=10)


def series(part: str, label: Mapping[str, str], *values: tuple[float, float]) -> Series:
    return Series(metric={SERIES: part, **label}, values=list(values))


def unreached(arm: str, *values: tuple[float, float]) -> Series:
    return series(f"{arm} availability unreached", {}, *values)


def code(value: str) -> dict[str, str]:
    return {"response_code": value}


def counted(question: Question, *answer: Series, warm_up: float = 0) -> Counts:
    arms = {name: question.arm(name, "source") for name in ("canary", "stable")}
    asked = list(parts(question.indicators, arms, QUERY.step, ()))
    return read(Answer.of(answer, QUERY, asked), question.indicators, warm_up)


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


def test_a_request_that_found_no_pod_failed_in_its_arm(question: Question) -> None:
    """Not before the first that did: another canary of this service may have been gone."""
    counts = counted(
        question,
        unreached("canary", (1010, 50), (1030, 4)),
        series("canary availability", code("200"), (1020, 7)),
        unreached("stable", (1030, 2)),
        series("stable availability", code("200"), (1010, 90), (1030, 90)),
    )
    strata = counts.strata["availability"][:2]
    assert strata.canary_total.tolist() == [7, 4]
    assert strata.canary_bad.tolist() == [0, 4]
    assert strata.stable_bad.tolist() == [0, 2]


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


@pytest.mark.parametrize("lacks", ["canary", "stable"])
def test_an_arm_without_the_bucket_makes_nothing_slow(question: Question, lacks: str) -> None:
    """Without it every request would look slow: in the canary harm, in stable an excuse."""
    arms = [series(f"{arm} latency", {"le": "+Inf"}, (1010, 10)) for arm in ("canary", "stable")]
    other = "stable" if lacks == "canary" else "canary"
    arms += [
        series(f"{other} latency", {"le": "250"}, (1010, 10)),
        series("canary availability", code("200"), (1010, 10)),
    ]
    counts = counted(question, *arms)
    strata = counts.strata["latency"]
    assert counts.lacking["latency"] == (lacks,)
    assert not (strata.canary_total.any() or strata.stable_total.any())


@pytest.mark.parametrize("lacks", ["canary", "stable"])
def test_an_arm_without_the_status_makes_nothing_good(question: Question, lacks: str) -> None:
    """In the canary every failure would be overlooked, in stable every one of its own."""
    other = "stable" if lacks == "canary" else "canary"
    counts = counted(
        question,
        series(f"{lacks} availability", code(""), (1010, 10)),
        series(f"{other} availability", code("200"), (1010, 10)),
        series("canary latency", {"le": "+Inf"}, (1010, 10)),
        series("canary latency", {"le": "250"}, (1010, 10)),
    )
    strata = counts.strata["availability"]
    assert counts.lacking["availability"] == (lacks,)
    assert not (strata.canary_total.any() or strata.stable_total.any())


def test_a_canary_whose_every_request_is_slow_lacks_nothing(question: Question) -> None:
    """Its bucket is there, and stands still."""
    counts = counted(
        question,
        series("canary latency", {"le": "+Inf"}, (1010, 10)),
        series("canary latency", {"le": "250"}, (1010, 0)),
        series("stable latency", {"le": "+Inf"}, (1010, 90)),
        series("stable latency", {"le": "250"}, (1010, 90)),
    )
    assert counts.lacking["latency"] == ()
    assert counts.strata["latency"].canary_bad[0] == 10


def test_only_where_it_matters_series_are_answered_that_stand_still(question: Question) -> None:
    arms = {name: question.arm(name, "source") for name in ("canary", "stable")}
    asked = {one.name: str(one) for one in parts(question.indicators, arms, 10, ())}
    assert " > 0" not in asked["canary latency"]
    assert " > 0" in asked["canary availability"]


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


@pytest.mark.parametrize("away", ["canary", "stable"])
def test_missed_scrapes_of_one_arm_compare_the_same_minutes(away: str) -> None:
    """An incident in both arms, while one of them is not scraped: it comes in one interval."""
    rows = [[0.0, 10.0, 0.0, 90.0], *[[3.0, 10.0, 27.0, 90.0]] * 5, *[[0.0, 10.0, 0.0, 90.0]] * 5]
    arrays = np.array(rows)
    columns = slice(0, 2) if away == "canary" else slice(2, 4)
    arrays[6, columns] = arrays[1:7, columns].sum(axis=0)
    arrays[1:6, columns] = 0
    counts = Counts({"availability": Strata(*arrays.T)}, np.arange(11), 15, 0, 0)
    found = counts.compared["availability"]
    both = found[found.comparable]
    assert (both.canary_bad * both.stable_total == both.stable_bad * both.canary_total).all()
    assert (found.canary_bad.sum(), found.stable_bad.sum()) == (15, 135)
    # What is seen of the traffic stays where it was seen.
    assert counts.traffic is counts.strata["availability"]


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
