"""Whatever Prometheus says: a verdict that both controllers can read, and never one by accident.

The answers have the right shape and wrong contents: what only the judge, not the client, can see.
"""

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin.api.app import create_app
from plugin.prometheus import Sample, Series
from plugin.prometheus.answers import InstantAnswer, RangeAnswer, read
from plugin.promql.query import SERIES, Query
from plugin.settings import Settings

values = st.one_of(
    st.integers(0, 10**6).map(str),
    st.floats().map(str),
    st.sampled_from(["NaN", "+Inf", "-1", "1e308", "1e-320", "1e999", "99999999999999999999", ""]),
)
parts = st.sampled_from(
    [f"{arm} {name}" for arm in ("canary", "stable") for name in ("availability", "latency")]
    + ["", "else"]
)
labels = st.dictionaries(
    st.sampled_from(["response_code", "le", "x"]),
    st.sampled_from(["200", "503", "5", "", "250.0", "250", "+Inf", "NaN"]),
)
samples = st.lists(st.tuples(st.integers(-2, 240), st.floats(-1, 1), values), max_size=8)
series = st.lists(st.tuples(parts, labels, samples), max_size=8)


class Hostile:
    """Answers with these series: part, labels, and samples in steps from the query's start."""

    def __init__(self) -> None:
        self.series: list[Any] = []
        self.jitter = False

    async def query_range(self, query: Query) -> list[Series]:
        result = [
            {
                "metric": {SERIES: part, **more},
                "values": [
                    [query.start + query.step * (at + self.jitter * off), value]
                    for at, off, value in points
                ],
            }
            for part, more, points in self.series
        ]
        answer = {"status": "success", "data": {"resultType": "matrix", "result": result}}
        return read(RangeAnswer, json.dumps(answer).encode()).data.result

    async def query(self, text: str) -> list[Sample]:  # noqa: ARG002
        found = [{"metric": {}, "value": [0, points[0][2]]} for *_, points in self.series if points]
        answer = {"status": "success", "data": {"resultType": "vector", "result": found}}
        return read(InstantAnswer, json.dumps(answer).encode()).data.result


SOURCE = Hostile()
APP = create_app(
    Settings.model_validate({"prometheus_url": "http://127.0.0.1:1", "scrape_interval": 2}), SOURCE
)


def judge() -> httpx.AsyncClient:
    """A fault of the judge's is raised where it is asked."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="http://judge")


def strictly(text: str) -> Any:
    """JSON as Go reads it: NaN is not JSON, and Argo takes what is no JSON for a success."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


@given(series, st.booleans(), st.sampled_from([None, 0, 10, 100]))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=150,
)
async def test_any_answer_gives_a_verdict(
    asked: dict[str, Any], answered: list[Any], jitter: bool, weight: int | None
) -> None:
    SOURCE.series, SOURCE.jitter = answered, jitter
    asked["stage"] = {"weight": weight}
    hook = {"name": "n", "namespace": "shop", "phase": "Progressing"}
    hook["metadata"] = {"request": json.dumps(asked)}  # pyright: ignore[reportArgumentType]
    async with judge() as client:
        response = await client.post("/v1/verdict", json=asked)
        rollback = await client.post("/v1/flagger/rollback", json=hook)
        promotion = await client.post("/v1/flagger/confirm-promotion", json=hook)
    assert response.status_code == 200
    verdict = strictly(response.text)["verdict"]
    assert verdict in {"pass", "fail", "undecided"}
    assert rollback.status_code in {200, 409}
    assert promotion.status_code in {200, 409}
    # Yes to both would be a release that is taken back and promoted.
    assert not rollback.status_code == promotion.status_code == 200


@pytest.mark.parametrize("value", ["NaN", "1e999", "-1", "1e13"])
async def test_a_count_that_is_none_decides_nothing(asked: dict[str, Any], value: str) -> None:
    SOURCE.series = [("canary availability", {"response_code": "503"}, [(1, 0.0, value)])]
    SOURCE.jitter = False
    async with judge() as client:
        answer = (await client.post("/v1/verdict", json=asked)).json()
    assert (answer["verdict"], answer["reason"]) == ("undecided", "query_error")
