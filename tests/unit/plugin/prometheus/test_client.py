"""The client: an answer is complete and well-formed, or it is a typed error."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
from aiohttp import web

from plugin.prometheus import ConfigError, Prometheus, QueryError, Series, client
from plugin.promql.query import Query

QUERY = Query("up", start=100, end=200, step=10)
Outcomes = list[str]


def matrix(*series: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": "matrix", "result": series}, **more}


@asynccontextmanager
async def asking(url: str, outcomes: Outcomes | None = None) -> AsyncIterator[Prometheus]:
    seen = [] if outcomes is None else outcomes
    one = Prometheus(url, lambda _, how: seen.append(how))
    try:
        yield one
    finally:
        await one.close()


async def ask(url: str, outcomes: Outcomes | None = None) -> list[Series]:
    async with asking(url, outcomes) as one:
        return await one.query_range(QUERY)


def always(status: int = 200, text: str | None = None, body: Any = None) -> Any:
    async def handler(_: web.Request) -> web.Response:
        if text is not None:
            return web.Response(status=status, text=text)
        return web.json_response(matrix() if body is None else body, status=status)

    return handler


async def test_the_query_is_posted_as_a_form_with_a_time_limit(serve: Any) -> None:
    """A GET would break at the length of an address, and a lost client must not cost the server."""
    sent: list[tuple[web.Request, dict[str, Any]]] = []

    async def handler(request: web.Request) -> web.Response:
        sent.append((request, dict(await request.post())))
        return web.json_response(matrix({"metric": {"a": "b"}, "values": [[100, "1.5"]]}))

    (series,) = await ask(await serve(handler))
    assert series.values == [(100, 1.5)]
    ((request, form),) = sent
    assert request.method == "POST"
    assert request.path == "/base/api/v1/query_range"
    assert form["query"] == "up"
    assert (form["start"], form["end"], form["step"]) == ("100", "200", "10")
    assert (form["timeout"], form["partial_response"]) == ("4s", "false")


@pytest.mark.parametrize("off", [-240, 240])
async def test_a_clock_that_prometheus_does_not_share_is_for_somebody_to_act_on(
    serve: Any, off: float
) -> None:
    """Minutes behind it would promote on old counts, minutes ahead it would never see any."""
    url = await serve(always())
    one = Prometheus(url, lambda *_: None, clock=lambda: time.time() + off)
    try:
        with pytest.raises(ConfigError, match=r"the judge's clock is 2\d\d s (behind|ahead)"):
            await one.query_range(QUERY)
    finally:
        await one.close()
    assert await ask(url) == []


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (400, "$"),
        (401, "; look at the credentials in SLUICE_PROMETHEUS_…$"),
        (403, "; look at the credentials in SLUICE_PROMETHEUS_…$"),
        (404, "; look at SLUICE_PROMETHEUS_URL"),
        (422, "$"),
    ],
)
async def test_a_refusal_is_for_somebody_to_act_on(serve: Any, status: int, remedy: str) -> None:
    body = {"status": "error", "errorType": "bad_data", "error": "parse error: unexpected"}
    with pytest.raises(ConfigError, match=f"answered {status}: parse error: unexpected{remedy}"):
        await ask(await serve(always(status, body=body)))


async def test_a_redirect_is_not_followed(serve: Any) -> None:
    """It would carry the credentials to wherever it points."""
    calls = 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        raise web.HTTPTemporaryRedirect("/base/elsewhere")

    with pytest.raises(ConfigError, match=r"307: .*; look at SLUICE_PROMETHEUS_URL"):
        await ask(await serve(handler))
    assert calls == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_an_overload_is_tried_once_more(serve: Any, status: int) -> None:
    answers = [web.Response(status=status, text="busy"), web.json_response(matrix())]

    async def handler(_: web.Request) -> web.Response:
        return answers.pop(0)

    assert await ask(await serve(handler)) == []
    with pytest.raises(QueryError, match=str(status)):
        await ask(await serve(always(status, text="")))


async def test_a_prometheus_that_is_down_is_a_query_error() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    for scheme in ("http", "https"):
        with pytest.raises(QueryError, match=f"reached: 127.0.0.1:{port}: Connect call failed"):
            await ask(f"{scheme}://127.0.0.1:{port}")


async def test_a_connection_that_breaks_is_a_query_error(serve: Any) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport
        request.transport.close()
        return response

    with pytest.raises(QueryError, match="cannot be reached"):
        await ask(await serve(handler))


@pytest.mark.parametrize("status", [None, 503])
async def test_what_took_long_is_not_tried_again(
    serve: Any, monkeypatch: pytest.MonkeyPatch, status: int | None
) -> None:
    """Argo and Flagger hang up after ten seconds; and Prometheus' own time limit is a 503."""
    monkeypatch.setattr(client, "_TIMEOUT", client.aiohttp.ClientTimeout(sock_read=0.2))
    monkeypatch.setattr(client, "_QUICKLY_SECONDS", 0.05)
    calls = 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.1 if status else 60)
        return web.Response(status=status or 200, text="query timed out")

    with pytest.raises(QueryError, match="timed out" if status else "in time"):
        await ask(await serve(handler))
    assert calls == 1


async def test_an_answer_that_never_ends_is_given_up(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "DEADLINE_SECONDS", 0.1)

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    with pytest.raises(QueryError, match="did not answer"):
        await ask(await serve(handler))


async def test_half_an_answer_is_none(serve: Any) -> None:
    """Thanos and remote reads answer with a warning when a store is missing."""
    with pytest.raises(QueryError, match="in part: no store"):
        await ask(await serve(always(body=matrix(warnings=["no store"]))))


async def test_an_answer_that_is_too_large_is_not_read(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_ANSWER_BYTES", 1000)
    with pytest.raises(ConfigError, match="lookback"):
        await ask(await serve(always(text=" " * 2000)))


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
        json.dumps(matrix({"metric": {}, "values": [[1]]})),
        json.dumps(matrix({"metric": {"a": 1}, "values": []})),
        json.dumps(matrix({"metric": {}, "values": [[1, "2"], None]})),
    ],
)
async def test_a_malformed_answer_is_a_query_error(serve: Any, body: str) -> None:
    outcomes: Outcomes = []
    with pytest.raises(QueryError, match="nonsense"):
        await ask(await serve(always(text=body)), outcomes)
    assert outcomes == ["QueryError"]


@pytest.mark.parametrize("value", ["NaN", "+Inf"])
async def test_a_value_that_is_no_number_names_the_series(serve: Any, value: str) -> None:
    """Somebody's exporter is wrong, and has to be found."""
    wrong = {"metric": {"of": "canary heap"}, "values": [[1, "2"], [2, value]]}
    answer = json.dumps(matrix({"metric": {}, "values": []}, wrong))
    with pytest.raises(QueryError, match=r"no finite number, in \{'of': 'canary heap'\}: correct"):
        await ask(await serve(always(text=answer)))


async def test_identical_questions_under_way_share_one_request(serve: Any) -> None:
    calls = 0
    asked, answer = asyncio.Event(), asyncio.Event()

    async def handler(_: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        asked.set()
        await answer.wait()
        return web.json_response(matrix())

    async with asking(await serve(handler)) as one:
        waiting = [asyncio.create_task(one.query_range(QUERY)) for _ in range(20)]
        await asked.wait()
        waiting[0].cancel()  # who asked first hangs up; the others still get their answer
        answer.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert calls == 1
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == [[]] * 19


async def test_prometheus_is_never_asked_more_than_eight_questions_at_once(serve: Any) -> None:
    """It evaluates twenty at a time for everybody; two judges have to leave some of them."""
    at_once, most = 0, 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.01)
        at_once -= 1
        return web.json_response(matrix())

    async with asking(await serve(handler)) as one:
        questions = [Query(f"up == {number}", 100, 200, 10) for number in range(40)]
        await asyncio.gather(*map(one.query_range, questions))
    assert most == 8


async def test_an_instant_query_reads_a_vector(serve: Any) -> None:
    body = {
        "status": "success",
        "data": {"resultType": "vector", "result": [{"metric": {}, "value": [5, "10"]}]},
    }
    async with asking(await serve(always(body=body))) as one:
        (sample,) = await one.query("flagger_canary_weight")
    assert sample.value == (5, 10)


async def test_every_query_is_measured_with_its_outcome(serve: Any) -> None:
    outcomes: Outcomes = []
    await ask(await serve(always()), outcomes)
    with pytest.raises(ConfigError):
        await ask(await serve(always(400)), outcomes)
    with pytest.raises(QueryError):
        await ask(await serve(always(503)), outcomes)
    assert outcomes == ["ok", "ConfigError", "QueryError"]


async def test_what_is_under_way_is_given_up_when_the_client_closes(serve: Any) -> None:
    asked = asyncio.Event()

    async def handler(_: web.Request) -> web.Response:
        asked.set()
        await asyncio.sleep(60)
        return web.Response()

    outcomes: Outcomes = []
    async with asking(await serve(handler), outcomes) as one:
        waiting = asyncio.create_task(one.query_range(QUERY))
        await asked.wait()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert outcomes == ["cancelled"]


async def test_a_forward_proxy_is_used_if_the_environment_names_one(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await serve(always())
    proxy = url.removesuffix("/base")
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    assert await ask("http://prometheus.monitoring/base") == []
    monkeypatch.setenv("no_proxy", "prometheus.invalid")
    with pytest.raises(QueryError, match="cannot be reached"):
        await ask("http://prometheus.invalid/base")
