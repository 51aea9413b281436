"""Ask Prometheus, or anything that speaks its HTTP API, without ever trusting the answer.

An answer is complete and well-formed, or it is an error: a verdict built on half of the data could
promote or abort for the wrong reason.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal, TypeVar

import httpx
from pydantic import BaseModel, Field, ValidationError

from plugin.promql import Query

MAX_ANSWER_BYTES = 16 * 1024 * 1024
_SERVER_TIMEOUT_SECONDS = 4
_DEADLINE_SECONDS = 8.0
"""For everything, retry included: both controllers hang up after ten seconds."""
_RETRY_AFTER_SECONDS = 0.2
_CONNECTIONS = 8
_UNAVAILABLE = {429, 500, 502, 503, 504}


class PrometheusError(Exception):
    """Prometheus gave no answer to build on."""


class QueryError(PrometheusError):
    """It is down, slow, overloaded or answered in part: the same query may succeed later."""


class ConfigError(PrometheusError):
    """It refused the query: wrong address, credentials or limits. Somebody has to act."""


Number = Annotated[float, Field(allow_inf_nan=False)]


class Series(BaseModel):
    """One series of a range query: its labels, and its samples as (Unix seconds, value)."""

    metric: dict[str, str]
    values: list[tuple[Number, Number]]


class Sample(BaseModel):
    """One series of an instant query."""

    metric: dict[str, str]
    value: tuple[Number, Number]


class _Matrix(BaseModel):
    resultType: Literal["matrix"]  # noqa: N815 the API's spelling
    result: list[Series]


class _Vector(BaseModel):
    resultType: Literal["vector"]  # noqa: N815 the API's spelling
    result: list[Sample]


class _RangeAnswer(BaseModel):
    status: Literal["success"]
    data: _Matrix
    warnings: list[str] | None = None


class _InstantAnswer(BaseModel):
    status: Literal["success"]
    data: _Vector
    warnings: list[str] | None = None


class _Refusal(BaseModel):
    error: str


Answer = TypeVar("Answer", _RangeAnswer, _InstantAnswer)


class Prometheus:
    """A client with few connections, shared by all requests of this process.

    `observe` is told how long each query took, in seconds, and how it ended: "ok", or the name of
    the error class.
    """

    def __init__(
        self,
        url: str,
        observe: Callable[[float, str], None],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/") + "/",
            transport=transport,
            timeout=httpx.Timeout(_SERVER_TIMEOUT_SECONDS + 1, connect=1, pool=_DEADLINE_SECONDS),
            limits=httpx.Limits(max_connections=_CONNECTIONS),
        )
        self._observe = observe
        self._under_way: dict[tuple[str, ...], asyncio.Task[bytes]] = {}

    async def close(self) -> None:
        await self._client.aclose()

    async def query_range(self, query: Query) -> list[Series]:
        """The matrix of a range query.

        Raises QueryError or ConfigError, each with a message for the person who reads the verdict.
        """
        content = await self._ask(
            "api/v1/query_range",
            {
                "query": query.text,
                "start": str(query.start),
                "end": str(query.end),
                "step": str(query.step),
            },
        )
        return _read(_RangeAnswer, content).data.result

    async def query(self, text: str) -> list[Sample]:
        """The vector of an instant query, now. Raises as `query_range`."""
        return _read(_InstantAnswer, await self._ask("api/v1/query", {"query": text})).data.result

    async def _ask(self, path: str, form: dict[str, str]) -> bytes:
        """Identical questions under way share one request, which outlives whoever asked first."""
        key = (path, *form.values())
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._timed(self._send_with_retry(path, form)))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._finished(key, done))
        return await asyncio.shield(task)

    def _finished(self, key: tuple[str, ...], task: asyncio.Task[bytes]) -> None:
        del self._under_way[key]
        if not task.cancelled():
            task.exception()  # marks it as seen: all who asked may have hung up

    async def _timed(self, work: Coroutine[Any, Any, bytes]) -> bytes:
        loop = asyncio.get_running_loop()
        began, outcome = loop.time(), "cancelled"
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                content = await work
            outcome = "ok"
        except TimeoutError:
            outcome = QueryError.__name__
            raise QueryError(f"Prometheus did not answer in {_DEADLINE_SECONDS:g} s") from None
        except PrometheusError as error:
            outcome = type(error).__name__
            raise
        else:
            return content
        finally:
            self._observe(loop.time() - began, outcome)

    async def _send_with_retry(self, path: str, form: dict[str, str]) -> bytes:
        """Once more after what may pass in a moment; a timeout has used up the time for that."""
        try:
            return await self._send(path, form)
        except QueryError as error:
            if isinstance(error.__cause__, httpx.TimeoutException):
                raise
        await asyncio.sleep(_RETRY_AFTER_SECONDS)
        return await self._send(path, form)

    async def _send(self, path: str, form: dict[str, str]) -> bytes:
        # Thanos and Mimir would otherwise answer in part, and count HA pairs twice.
        data = {
            **form,
            "timeout": f"{_SERVER_TIMEOUT_SECONDS}s",
            "partial_response": "false",
            "dedup": "true",
        }
        try:
            async with self._client.stream("POST", path, data=data) as response:
                content = await _bounded(response)
        except httpx.TimeoutException as error:
            raise QueryError("Prometheus did not answer in time") from error
        except httpx.HTTPError as error:
            raise QueryError(f"Prometheus cannot be reached: {_line(str(error))}") from error
        if response.status_code == 200:
            return content
        refusal = f"Prometheus answered {response.status_code}: {_line(_refusal(content))}"
        raise (QueryError if response.status_code in _UNAVAILABLE else ConfigError)(refusal)


async def _bounded(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise ConfigError(
                f"Prometheus answered with more than {MAX_ANSWER_BYTES >> 20} MiB: shorten "
                "policy.lookback"
            )
    return bytes(content)


def _refusal(content: bytes) -> str:
    """Prometheus' own words, or what a proxy in between had to say."""
    try:
        return _Refusal.model_validate_json(content).error
    except ValidationError:
        return content.decode("utf-8", "replace") or "nothing"


def _read(model: type[Answer], content: bytes) -> Answer:
    try:
        answer = model.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "answer"
        raise QueryError(f"Prometheus answered nonsense: {where}: {_line(first['msg'])}") from None
    if answer.warnings:
        raise QueryError(f"Prometheus answered in part: {_line(answer.warnings[0])}")
    return answer


def _line(text: str) -> str:
    """The start of a foreign message, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= 200 else line[:199] + "…"
