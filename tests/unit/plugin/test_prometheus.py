"""The client: an answer is complete and well-formed, or it is a typed error."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin import prometheus
from plugin.prometheus import ConfigError, Prometheus, PrometheusError, QueryError, Series
from plugin.promql import Query

QUERY = Query("up", start=100, end=200, step=10)
Handler = Callable[[httpx.Request], httpx.Response]
Outcomes = list[str]


@asynccontextmanager
async def client(handler: Any, outcomes: Outcomes | None = None) -> AsyncIterator[Prometheus]:
    seen = [] if outcomes is None else outcomes
    one = Prometheus(
        "http://prometheus/base", lambda _, how: seen.append(how), httpx.MockTransport(handler)
    )
    try:
        yield one
    finally:
        await one.close()


def matrix(*series: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": "matrix", "result": series}, **more}


async def ask(handler: Handler, outcomes: Outcomes | None = None) -> list[Series]:
    async with client(handler, outcomes) as one:
        return await one.query_range(QUERY)


async def test_the_query_is_posted_as_a_form_with_a_time_limit() -> None:
    """A GET would break at the length of an address, and a lost client must not cost the server."""
    sent: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json=matrix({"metric": {"a": "b"}, "values": [[100, "1.5"]]}))

    (series,) = await ask(handler)
    assert series.values == [(100, 1.5)]
    assert sent[0].method == "POST"
    assert sent[0].url.path == "/base/api/v1/query_range"
    form = dict(httpx.QueryParams(sent[0].content.decode()))
    assert form["query"] == "up"
    assert (form["start"], form["end"], form["step"]) == ("100", "200", "10")
    assert (form["timeout"], form["partial_response"]) == ("4s", "false")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_refusal_is_for_somebody_to_act_on(status: int) -> None:
    body = {"status": "error", "errorType": "bad_data", "error": "parse error: unexpected"}
    with pytest.raises(ConfigError, match="parse error"):
        await ask(lambda _: httpx.Response(status, json=body))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_an_overload_is_tried_once_more(status: int) -> None:
    answers = [httpx.Response(status, text="busy"), httpx.Response(200, json=matrix())]
    assert await ask(lambda _: answers.pop(0)) == []
    with pytest.raises(QueryError, match=str(status)):
        await ask(lambda _: httpx.Response(status))


async def test_a_prometheus_that_is_down_is_a_query_error() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    with pytest.raises(QueryError, match="connection refused"):
        await ask(handler)


async def test_a_timeout_is_not_tried_again() -> None:
    """Argo and Flagger hang up after ten seconds."""
    calls = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        raise httpx.ReadTimeout("slow", request=request)

    with pytest.raises(QueryError, match="in time"):
        await ask(handler)
    assert calls == 1


async def test_an_answer_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "_DEADLINE_SECONDS", 0.05)

    async def handler(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        return httpx.Response(200, json=matrix())

    with pytest.raises(QueryError, match="did not answer"):
        async with client(handler) as one:
            await one.query_range(QUERY)


async def test_half_an_answer_is_none() -> None:
    """Thanos and remote reads answer with a warning when a store is missing."""
    with pytest.raises(QueryError, match="in part: no store"):
        await ask(lambda _: httpx.Response(200, json=matrix(warnings=["no store"])))


async def test_an_answer_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "MAX_ANSWER_BYTES", 1000)
    with pytest.raises(ConfigError, match="lookback"):
        await ask(lambda _: httpx.Response(200, content=b" " * 2000))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>login</html>",
        "null",
        "[]",
        "{}",
        '{"status":"error"}',
        json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}}),
        json.dumps(matrix({"metric": {}, "values": [[1, "NaN"]]})),
        json.dumps(matrix({"metric": {}, "values": [[1, "+Inf"]]})),
        json.dumps(matrix({"metric": {}, "values": [[1]]})),
        json.dumps(matrix({"metric": {"a": 1}, "values": []})),
        json.dumps(matrix({"metric": {}, "values": [[1, "2"], None]})),
    ],
)
async def test_a_malformed_answer_is_a_query_error(body: str) -> None:
    with pytest.raises(QueryError, match="nonsense"):
        await ask(lambda _: httpx.Response(200, text=body))


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_a_typed_error(body: bytes) -> None:
    async def run() -> None:
        try:
            await ask(lambda _: httpx.Response(200, content=body))
        except PrometheusError as error:
            assert str(error)

    asyncio.run(run())


async def test_identical_questions_under_way_share_one_request() -> None:
    calls = 0
    answer = asyncio.Event()

    async def handler(_: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        await answer.wait()
        return httpx.Response(200, json=matrix())

    async with client(handler) as one:
        asking = [asyncio.create_task(one.query_range(QUERY)) for _ in range(20)]
        await asyncio.sleep(0.01)
        asking[0].cancel()  # who asked first hangs up; the others still get their answer
        answer.set()
        results = await asyncio.gather(*asking, return_exceptions=True)
    assert calls == 1
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == [[]] * 19


async def test_an_instant_query_reads_a_vector() -> None:
    body = {
        "status": "success",
        "data": {"resultType": "vector", "result": [{"metric": {}, "value": [5, "10"]}]},
    }
    async with client(lambda _: httpx.Response(200, json=body)) as one:
        (sample,) = await one.query("flagger_canary_weight")
    assert sample.value == (5, 10)


async def test_every_query_is_measured_with_its_outcome() -> None:
    outcomes: Outcomes = []
    await ask(lambda _: httpx.Response(200, json=matrix()), outcomes)
    with pytest.raises(ConfigError):
        await ask(lambda _: httpx.Response(400), outcomes)
    with pytest.raises(QueryError):
        await ask(lambda _: httpx.Response(503), outcomes)
    assert outcomes == ["ok", "ConfigError", "QueryError"]
