"""What is remembered is what Prometheus would answer again, and costs it next to nothing."""

import asyncio
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.counts.answer import Answer, Key, Part
from plugin.judge import recall
from plugin.judge.plan import Plan
from plugin.judge.recall import Recall
from plugin.prometheus import QueryError, Sample, Series
from plugin.promql.query import SERIES, Query

STEP, INTERVALS, AGAIN = 15, 40, 8
COUNTS = Part("canary availability", "a", by=("code",))
VALUE = Part("canary heap", "b", counts=False)
STATE = Part("canary pods.oom_killed", "c @ end()", counts=False)
PARTS = (COUNTS, VALUE, STATE)
CODES = ("200", "404", "503")

History = dict[tuple[str, str], list[float | None]]
"""A value per interval by part and code, None where there is none; interval 0 ends at 0."""


class Prometheus:
    """Answers from the history that is there when it is asked."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.asked: list[Query] = []

    async def query_range(self, query: Query) -> list[Series]:
        self.asked.append(query)
        times = range(query.start, query.end + 1, query.step)
        found = []
        for (part, code), row in self.history.items():
            at_end = part == STATE.name
            values = [
                (float(time), value)
                for time in times
                if (value := row[(query.end if at_end else time) // STEP]) is not None
            ]
            labels = {SERIES: part} | ({"code": code} if code else {})
            found += [Series(metric=labels, values=values)] if values else []
        return found

    async def query(self, text: str) -> list[Sample]:
        raise NotImplementedError(text)


def query(end: int, intervals: int = INTERVALS, text: str = "all") -> Query:
    return Query(text, (end - intervals + 1) * STEP, end * STEP, STEP)


def plan(text: str = "all") -> Plan:
    return Plan((), frozenset(), PARTS, text)


def steady(length: int = 300) -> History:
    return {(COUNTS.name, "200"): [9.0] * length, (VALUE.name, ""): [1.5] * length}


def same(one: Answer, other: Answer) -> bool:
    """What is of the end only counts there."""

    def seen(answer: Answer) -> dict[Key, list[float]]:
        return {
            key: answer.table[row, -1 if key[0] == STATE.name else 0 :].tolist()
            for key, row in sorted(answer.rows.items())
        }

    # By its text, for NaN is not even itself.
    return one.query == other.query and str(seen(one)) == str(seen(other))


rows = st.lists(st.none() | st.integers(0, 1000).map(float), min_size=200, max_size=200)


@given(
    st.fixed_dictionaries(
        {
            **{(COUNTS.name, code): rows for code in CODES},
            (VALUE.name, ""): rows,
            (STATE.name, ""): rows,
        }
    ),
    st.lists(st.integers(0, 50), min_size=1, max_size=8),
)
async def test_it_is_the_same_as_when_all_is_asked_for(history: History, later: list[int]) -> None:
    prometheus = Prometheus(history)
    remembering = Recall(prometheus)
    end = INTERVALS
    for more in later:
        end = min(end + more, 199)
        found = await remembering.answer(plan(), query(end))
        assert same(found, await Recall(prometheus).answer(plan(), query(end)))


async def test_only_what_is_new_is_asked_for_again() -> None:
    prometheus = Prometheus(steady())
    remembering = Recall(prometheus)
    await remembering.answer(plan(), query(100))
    await remembering.answer(plan(), query(102))
    first, second = prometheus.asked
    assert first == query(100)
    assert (second.text, second.end, second.step) == ("all", query(102).end, STEP)
    assert second.intervals == AGAIN + 2


async def test_all_is_asked_for_every_ten_minutes() -> None:
    """What came later than by minutes is counted then."""
    prometheus = Prometheus(steady())
    remembering = Recall(prometheus)
    for end in range(100, 182):
        await remembering.answer(plan(), query(end))
    in_full = [one.end // STEP for one in prometheus.asked if one.intervals == INTERVALS]
    assert in_full == [100, 140, 180]


@pytest.mark.parametrize("late", [1, AGAIN // 2])
async def test_what_comes_late_is_counted(late: int) -> None:
    """By remote write, say: it was not there when the newest intervals were asked for."""
    complete = steady()[COUNTS.name, "200"]
    prometheus = Prometheus({(COUNTS.name, "200"): [*complete[:101], *[None] * 199]})
    remembering = Recall(prometheus)
    for end in range(100, 140):
        known = end - late + 1
        prometheus.history = {(COUNTS.name, "200"): [*complete[:known], *[None] * (300 - known)]}
        found = await remembering.answer(plan(), query(end))
        assert same(found, await Recall(prometheus).answer(plan(), query(end)))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda history: history.clear(), id="its storage is lost"),
        pytest.param(lambda h: h[COUNTS.name, "200"].__setitem__(94, 8.0), id="another count"),
        pytest.param(lambda h: h[COUNTS.name, "200"].__setitem__(94, None), id="no count"),
        pytest.param(lambda h: h.update({(COUNTS.name, "503"): [1.0] * 300}), id="another series"),
        pytest.param(lambda h: h.pop((VALUE.name, "")), id="a series less"),
    ],
)
async def test_a_past_that_has_changed_is_asked_for_anew(change: Any) -> None:
    prometheus = Prometheus(steady())
    remembering = Recall(prometheus)
    await remembering.answer(plan(), query(100))
    change(prometheus.history)
    found = await remembering.answer(plan(), query(101))
    assert prometheus.asked[-1] == query(101)
    assert same(found, await Recall(prometheus).answer(plan(), query(101)))


async def test_silence_is_no_agreement() -> None:
    """Scrapes failed, and then the storage was lost: what the counters show first is their whole
    life, which is remembered already.
    """
    quiet: list[float | None] = [*[9.0] * 90, *[None] * 210]
    prometheus = Prometheus({(COUNTS.name, "200"): quiet})
    remembering = Recall(prometheus)
    await remembering.answer(plan(), query(100))
    lost: list[float | None] = [*[None] * 101, 900.0, *[None] * 198]
    prometheus.history = {(COUNTS.name, "200"): lost}
    found = await remembering.answer(plan(), query(101))
    assert np.nansum(found.table) == 900
    assert prometheus.asked[-1] == query(101)


class Slow(Prometheus):
    """Takes a moment, also when nobody waits any more, as the judge's client does."""

    async def query_range(self, query: Query) -> list[Series]:
        await asyncio.sleep(0.02)
        return await super().query_range(query)


async def test_what_is_answered_too_late_is_remembered_for_the_next_look() -> None:
    """Or all would be asked for at every look, and always too late."""
    prometheus = Slow(steady())
    remembering = Recall(prometheus)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(remembering.answer(plan(), query(100)), 0.001)
    await asyncio.sleep(0.1)
    await remembering.answer(plan(), query(101))
    assert [one.intervals for one in prometheus.asked] == [INTERVALS, AGAIN + 1]


async def test_the_last_digits_of_a_sum_are_no_change() -> None:
    prometheus = Prometheus(steady())
    remembering = Recall(prometheus)
    await remembering.answer(plan(), query(100))
    prometheus.history[VALUE.name, ""] = [1.5 + 1e-12] * 300
    await remembering.answer(plan(), query(101))
    assert prometheus.asked[-1].intervals == AGAIN + 1


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(query(99), id="an earlier time"),
        pytest.param(query(100, intervals=41), id="further back"),
        pytest.param(query(100 + 40), id="ten minutes later"),
        pytest.param(query(100, text="others"), id="something else"),
        pytest.param(Query("all", 0, 1500, 30), id="longer intervals"),
    ],
)
async def test_what_is_known_is_used_for_the_same_only(asked: Query) -> None:
    prometheus = Prometheus(steady())
    remembering = Recall(prometheus)
    await remembering.answer(plan(), query(100))
    assert (await remembering.answer(plan(asked.text), asked)).query == asked
    assert prometheus.asked[-1] == asked


async def test_the_state_of_now_is_not_remembered() -> None:
    """A container that was out of memory once does not stay so."""
    killed: list[float | None] = [None] * 100 + [1.0] + [None] * 199
    prometheus = Prometheus(steady() | {(STATE.name, ""): killed})
    remembering = Recall(prometheus)
    assert (await remembering.answer(plan(), query(100))).value(STATE.name)[-1] == 1
    later = (await remembering.answer(plan(), query(101))).value(STATE.name)
    assert np.isnan(later).all()


async def test_a_prometheus_that_fails_takes_nothing_away() -> None:
    prometheus = Prometheus(steady())
    remembering = Recall(prometheus)
    await remembering.answer(plan(), query(100))
    history = prometheus.history
    prometheus.history = {("nonsense", ""): [*history[VALUE.name, ""]]}
    with pytest.raises(QueryError):
        await remembering.answer(plan(), query(101))
    prometheus.history = history
    await remembering.answer(plan(), query(102))
    assert prometheus.asked[-1].intervals == AGAIN + 2


async def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for longest ago is forgotten first."""
    monkeypatch.setattr(recall, "_MOST_BYTES", 3 * (2 * (INTERVALS * 8 + 300) + 4))
    prometheus = Prometheus(steady())
    remembering = Recall(prometheus)
    for text in ("a", "b", "c", "a", "d"):
        await remembering.answer(plan(text), query(100, text=text))
    prometheus.asked.clear()
    for text in ("a", "b"):
        await remembering.answer(plan(text), query(101, text=text))
    assert [one.intervals for one in prometheus.asked] == [AGAIN + 1, INTERVALS]
