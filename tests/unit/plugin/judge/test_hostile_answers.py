"""Whatever Prometheus says: a verdict that both controllers can read, and none that faults make.

The answers have the right shape and wrong contents: what only the judge, not the client, can see.
"""

import asyncio
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from plugin.api.app import create_app
from plugin.judge import Judge
from plugin.prometheus import Sample, Series
from plugin.prometheus.answers import InstantAnswer, RangeAnswer, read
from plugin.promql.query import SERIES, Query
from plugin.settings import Settings
from tests.unit.plugin.strictly import strictly

ONE_QUESTION = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40
)
"""It is a fixture, and never changed."""

Answered = list[dict[str, Any]]
"""Series of a range query, each with samples as {intervals before the newest: value}."""
Fault = partial[None]
"""Makes a sound answer a faulty one."""


@dataclass(frozen=True)
class Release:
    """Steady traffic: per interval so many requests to the canary, `share` times as many to stable,
    and of each arm's the fractions that failed and that were slow.
    """

    intervals: int
    requests: int
    share: int
    canary: tuple[float, float]
    stable: tuple[float, float]

    def answer(self) -> Answered:
        times = range(self.intervals)
        series: Answered = []
        for arm, total, (failed, slow) in (
            ("canary", self.requests, self.canary),
            ("stable", self.requests * self.share, self.stable),
        ):
            bad = round(total * failed)
            for part, labels, count in (
                ("availability", {"response_code": "200"}, total - bad),
                ("availability", {"response_code": "503"}, bad),
                ("latency", {"le": "+Inf"}, total),
                ("latency", {"le": "250.0"}, total - round(total * slow)),
            ):
                metric = {SERIES: f"{arm} {part}", **labels}
                series.append({"metric": metric, "values": dict.fromkeys(times, str(count))})
        return series


fractions = st.tuples(st.sampled_from([0, 0, 0.01, 0.1]), st.sampled_from([0, 0, 0.05, 0.3]))
releases = st.builds(
    Release,
    st.integers(5, 60),
    st.integers(1, 200),
    st.sampled_from([9, 9, 3]),
    fractions,
    fractions,
)
weights = st.sampled_from([None, 10, 100])
PASSES = Release(60, 200, 9, (0.005, 0.005), (0.005, 0.005))
FAILS = Release(60, 200, 9, (0.05, 0.005), (0.005, 0.005))


class Prometheus:
    """Stands in for it: answers with these series, and with `weight` for Flagger's gauge."""

    def __init__(self, answered: Answered, weight: int | None) -> None:
        self._answered, self._weight = answered, weight

    async def query_range(self, query: Query) -> list[Series]:
        result = [
            {
                "metric": one["metric"],
                "values": [
                    [query.end - query.step * back, value] for back, value in one["values"].items()
                ],
            }
            for one in self._answered
        ]
        answer = {"status": "success", "data": {"resultType": "matrix", "result": result}}
        return read(RangeAnswer, json.dumps(answer).encode()).data.result

    async def query(self, text: str) -> list[Sample]:  # noqa: ARG002
        found = [] if self._weight is None else [{"metric": {}, "value": [0, str(self._weight)]}]
        answer = {"status": "success", "data": {"resultType": "vector", "result": found}}
        return read(InstantAnswer, json.dumps(answer).encode()).data.result


@pytest.fixture(autouse=True)
def one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """All questions about one answer are asked at once."""
    monkeypatch.setattr("plugin.api.app.Judge", partial(Judge, clock=lambda: 1_000_000_003.0))


class Asked:
    """What a judge says that has never been asked before. A fault of its own is raised here."""

    def __init__(self, answered: Answered, question: dict[str, Any]) -> None:
        environment = Settings.model_validate(
            {"prometheus_url": "http://127.0.0.1:1", "scrape_interval": 2}
        )
        prometheus = Prometheus(answered, question["stage"]["weight"])
        self._transport = httpx.ASGITransport(create_app(environment, prometheus))
        self._question = question

    async def answer(self) -> dict[str, Any]:
        """A decision, whatever it is."""
        response = await self._post("/v1/verdict", self._question)
        assert response.status_code == 200
        answer = strictly(response.text)
        assert answer["verdict"] in {"pass", "fail", "undecided"}
        return answer

    async def verdict(self) -> str:
        return (await self.answer())["verdict"]

    async def says_yes(self, gate: str) -> bool:
        """To Flagger."""
        metadata = {"request": json.dumps(self._question)}
        hook = {"name": "n", "namespace": "shop", "phase": "Progressing", "metadata": metadata}
        response = await self._post(f"/v1/flagger/{gate}", hook)
        assert response.status_code in {200, 409}
        return response.status_code == 200

    async def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        async with httpx.AsyncClient(transport=self._transport, base_url="http://judge") as client:
            return await client.post(path, json=body)


def faulty(release: Release, faults: list[Fault]) -> Answered:
    answered = release.answer()
    for fault in faults:
        fault(answered)
    return answered


def fault(how: Callable[..., None], *given: Any) -> st.SearchStrategy[Fault]:
    return st.builds(partial, st.just(how), *given)


def few(*faults: st.SearchStrategy[Fault]) -> st.SearchStrategy[list[Fault]]:
    """Up to two, of different kinds: most answers with more decide nothing at all."""
    return st.lists(st.one_of(*faults), max_size=2, unique_by=lambda fault: fault.func)


# Which series, which arm, and which interval before the newest one.
where, arms, when = st.integers(0, 7), st.sampled_from(["canary", "stable"]), st.integers(0, 59)


def of(arm: str, answered: Answered) -> Answered:
    return [one for one in answered if one["metric"][SERIES].startswith(arm)]


# What no Prometheus answers to this question.


def is_named(at: int, name: str, answered: Answered) -> None:
    answered[at]["metric"][SERIES] = name


def holds(at: int, back: int, value: str, answered: Answered) -> None:
    answered[at]["values"][back] = value


def is_outside(at: int, back: int, answered: Answered) -> None:
    answered[at]["values"][back] = "1"


def is_there_twice(at: int, answered: Answered) -> None:
    answered.append(deepcopy(answered[at]))


NO_COUNTS = ["NaN", "+Inf", "-Inf", "-1", "1e13", "1e999", ""]
nonsense = st.one_of(
    fault(is_named, where, st.sampled_from(["", "else", "canary"])),
    fault(holds, where, when, st.sampled_from(NO_COUNTS)),
    fault(is_outside, where, st.sampled_from([-1, -1000, 10**6])),
    fault(is_there_twice, where),
)


# What hides some of the counts, or adds what was not counted then.


def misses_scrapes(arm: str, first: int, length: int, answered: Answered) -> None:
    for one in of(arm, answered):
        for back in range(first, first + length):
            one["values"].pop(back, None)


def has_its_past(arm: str, back: int, answered: Answered) -> None:
    """All that an arm's counters ever counted, in one interval."""
    for one in of(arm, answered):
        if value := one["values"].get(back):
            one["values"][back] = str(float(value) * 10**6)


def hardly_counts(arm: str, back: int, answered: Answered) -> None:
    for one in of(arm, answered):
        one["values"].update({back: "1e-320"} if back in one["values"] else {})


def says_no_status(arm: str, status: str, answered: Answered) -> None:
    of(arm, answered)[0]["metric"]["response_code"] = status


def lacks_a_bucket(arm: str, le: str, answered: Answered) -> None:
    answered.remove(next(one for one in of(arm, answered) if one["metric"].get("le") == le))


losses = (
    fault(misses_scrapes, arms, when, st.integers(1, 30)),
    fault(has_its_past, arms, when),
    fault(hardly_counts, arms, when),
    fault(says_no_status, arms, st.sampled_from(["", "none", "NaN"])),
    fault(lacks_a_bucket, arms, st.sampled_from(["250.0", "+Inf"])),
)


# What says the same in other words.


def is_late(at: int, off: float, answered: Answered) -> None:
    values = answered[at]["values"]
    answered[at]["values"] = {back + off: value for back, value in values.items()}


def is_in_another_order(by: int, answered: Answered) -> None:
    answered[:] = answered[by:] + answered[:by]


def has_more_labels(at: int, answered: Answered) -> None:
    answered[at]["metric"]["x"] = "y"


def is_spelt_otherwise(at: int, answered: Answered) -> None:
    values = answered[at]["values"]
    answered[at]["values"] = {back: f"{int(value):e}" for back, value in values.items()}


variations = (
    fault(is_late, where, st.sampled_from([-0.4, 0.4])),
    fault(is_in_another_order, where),
    fault(has_more_labels, where),
    fault(is_spelt_otherwise, where),
)


def test_the_releases_get_every_verdict(asked: dict[str, Any]) -> None:
    """Or else the tests below would say nothing."""
    found: list[str] = []

    @settings(max_examples=60, derandomize=True, database=None)
    @given(releases, weights)
    def look(release: Release, weight: int | None) -> None:
        question = asked | {"stage": {"weight": weight}}
        found.append(asyncio.run(Asked(release.answer(), question).verdict()))

    look()
    assert min(found.count(verdict) for verdict in ("pass", "fail", "undecided")) >= 5


@pytest.mark.parametrize("value", NO_COUNTS)
async def test_a_count_that_is_none_decides_nothing(asked: dict[str, Any], value: str) -> None:
    answer = await Asked(faulty(PASSES, [partial(holds, 0, 0, value)]), asked).answer()
    assert (answer["verdict"], answer["reason"]) == ("undecided", "query_error")


@ONE_QUESTION
@given(releases, nonsense, weights)
async def test_nonsense_decides_nothing(
    asked: dict[str, Any], release: Release, fault: Fault, weight: int | None
) -> None:
    judge = Asked(faulty(release, [fault]), asked | {"stage": {"weight": weight}})
    answer = await judge.answer()
    assert (answer["verdict"], answer["reason"]) == ("undecided", "query_error")
    assert not await judge.says_yes("rollback")
    assert not await judge.says_yes("confirm-promotion")


@pytest.mark.parametrize("arm", ["canary", "stable"])
@pytest.mark.parametrize(
    "fault",
    [
        (misses_scrapes, 10, 30),
        (has_its_past, 10),
        (hardly_counts, 10),
        (says_no_status, ""),
        (lacks_a_bucket, "250.0"),
        (lacks_a_bucket, "+Inf"),
    ],
)
async def test_one_fault_makes_no_pass_a_failure_and_no_failure_a_pass(
    asked: dict[str, Any], arm: str, fault: tuple[Any, ...]
) -> None:
    how, *more = fault
    for release, sound in ((PASSES, "pass"), (FAILS, "fail")):
        assert await Asked(release.answer(), asked).verdict() == sound
        answered = faulty(release, [partial(how, arm, *more)])
        assert await Asked(answered, asked).verdict() in {sound, "undecided"}


@ONE_QUESTION
@given(releases, few(*losses), weights)
async def test_a_fault_decides_nothing_that_the_sound_answer_does_not(
    asked: dict[str, Any], release: Release, faults: list[Fault], weight: int | None
) -> None:
    question = asked | {"stage": {"weight": weight}}
    sound = await Asked(release.answer(), question).verdict()
    judge = Asked(faulty(release, faults), question)
    verdict = await judge.verdict()
    event(f"{sound}, then {verdict}")
    assert verdict in {sound, "undecided"}
    assert await judge.says_yes("rollback") is (verdict == "fail")
    # A stage that nobody knows passes nothing on.
    passed = verdict == "pass" and weight is not None
    assert await judge.says_yes("confirm-promotion") is passed


@ONE_QUESTION
@given(releases, few(*variations), weights)
async def test_the_form_of_an_answer_decides_nothing(
    asked: dict[str, Any], release: Release, variations: list[Fault], weight: int | None
) -> None:
    question = asked | {"stage": {"weight": weight}}
    sound = await Asked(release.answer(), question).answer()
    assert await Asked(faulty(release, variations), question).answer() == sound
