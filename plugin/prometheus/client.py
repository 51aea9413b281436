"""The client: few connections, bounded time and size, identical queries under way sent once."""

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from plugin.prometheus.access import FORM, Access
from plugin.prometheus.answers import (
    Answer,
    InstantAnswer,
    RangeAnswer,
    Sample,
    Series,
    read,
)
from plugin.prometheus.clock import CLOCK_TOLERANCE, check_clock
from plugin.prometheus.errors import ConfigError, PrometheusError, QueryError, line
from plugin.prometheus.unanswered import refused, unreachable, untrusted
from plugin.promql.query import Query

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""More than twenty times that of two indicators over 720 intervals."""
DEADLINE_SECONDS = 8.0
"""For everything, retry included: both controllers hang up after ten seconds."""
_SERVER_TIMEOUT_SECONDS = 4
_QUICKLY_SECONDS, _RETRY_AFTER_SECONDS = 1.0, 0.2
_CONNECTIONS = 8
"""Two replicas leave a few of the 20 queries that Prometheus evaluates at once to everybody else.
More would not be faster: a query keeps a processor of Prometheus' busy."""
_TIMEOUT = aiohttp.ClientTimeout(sock_connect=1, sock_read=_SERVER_TIMEOUT_SECONDS + 1)


class Prometheus:
    """Shared by all requests of this process.

    `observe` is told how long each query took, in seconds, and how it ended: "ok", or the name of
    the error class. `clock` is the time in Unix seconds, on which Prometheus has to agree, within
    `tolerance` seconds.
    """

    def __init__(
        self,
        url: str,
        observe: Callable[[float, str], None],
        access: Access = Access(),  # noqa: B008 immutable
        clock: Callable[[], float] = time.time,
        tolerance: float = CLOCK_TOLERANCE,
    ) -> None:
        self._base = url.rstrip("/")
        self._observe = observe
        self._access = access
        self._clock = clock
        self._tolerance = tolerance
        self._proxy = _proxy(url)
        # First come, first served; aiohttp lets latecomers have a connection that gets free.
        self._turns = asyncio.Semaphore(_CONNECTIONS)
        self._session: aiohttp.ClientSession | None = None
        self._tls: tuple[object, ssl.SSLContext] | None = None
        self._under_way: dict[tuple[str, ...], asyncio.Task[Any]] = {}

    async def close(self) -> None:
        """Gives up what nobody waits for any more, and the connections."""
        for task in self._under_way.values():
            task.cancel()
        if self._session:
            await self._session.close()

    async def query_range(self, query: Query) -> list[Series]:
        """The matrix of a range query; shared by all who ask for it now, so not to be changed.

        Raises QueryError or ConfigError, each with a message for the person who reads the verdict.
        """
        form = {
            "query": query.text,
            "start": str(query.start),
            "end": str(query.end),
            "step": str(query.step),
        }
        return (await self._ask("query_range", form, RangeAnswer)).data.result

    async def query(self, text: str) -> list[Sample]:
        """The vector of an instant query, now. Shared, and raises, as `query_range`."""
        return (await self._ask("query", {"query": text}, InstantAnswer)).data.result

    async def _ask(self, path: str, form: dict[str, str], model: type[Answer]) -> Answer:
        """Identical questions under way share one request, which outlives whoever asked first."""
        key = (path, *form.values())
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._timed(path, form, model))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._finished(key, done))
        return await asyncio.shield(task)

    def _finished(self, key: tuple[str, ...], task: asyncio.Task[Any]) -> None:
        del self._under_way[key]
        if not task.cancelled():
            task.exception()  # marks it as seen: all who asked may have hung up

    async def _timed(self, path: str, form: dict[str, str], model: type[Answer]) -> Answer:
        loop = asyncio.get_running_loop()
        began, outcome = loop.time(), "cancelled"
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                content = await self._send_with_retry(path, form)
            answer = read(model, content)
            outcome = "ok"
        except TimeoutError:
            outcome = QueryError.__name__
            raise QueryError(f"Prometheus did not answer in {DEADLINE_SECONDS:g} s") from None
        except PrometheusError as error:
            outcome = type(error).__name__
            raise
        else:
            return answer
        finally:
            self._observe(loop.time() - began, outcome)

    async def _send_with_retry(self, path: str, form: dict[str, str]) -> bytes:
        """Once more after what may pass in a moment.

        What took long is no such thing, and to an overloaded Prometheus a retry is one more query:
        its own time limit comes as a 503.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            return await self._send(path, form)
        except QueryError:
            if loop.time() - began > _QUICKLY_SECONDS:
                raise
        await asyncio.sleep(_RETRY_AFTER_SECONDS)
        return await self._send(path, form)

    async def _send(self, path: str, form: dict[str, str]) -> bytes:
        url = f"{self._base}/api/v1/{path}"
        # Thanos and Mimir would otherwise answer in part, and count HA pairs twice.
        more = {"timeout": f"{_SERVER_TIMEOUT_SECONDS}s", "partial_response": "false"}
        body = URL.build(query=form | more | {"dedup": "true"}).raw_query_string.encode()
        headers = {"Content-Type": FORM, **await self._access.credentials.headers(url, body)}
        context = self._context()
        sent = self._clock()
        try:
            # To follow a redirect would be to carry the credentials to where it points.
            async with (
                self._turns,
                self._connection().post(
                    url,
                    data=body,
                    headers=headers | dict(self._access.extra),
                    ssl=context,
                    proxy=self._proxy,
                    allow_redirects=False,
                ) as response,
            ):
                received = self._clock()
                content = await _bounded(response)
        except TimeoutError as error:
            raise QueryError("Prometheus did not answer in time") from error
        except ssl.SSLError as error:
            raise untrusted(error) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise unreachable(error) from error
        if response.status == 200:
            check_clock(response.headers, sent, received, self._tolerance)
            return content
        raise refused(response.status, content)

    def _connection(self) -> aiohttp.ClientSession:
        """Made by the first query, because it belongs to the running event loop.

        Nothing is compressed: that costs Prometheus more than it saves on the way.
        """
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept-Encoding": "identity", "User-Agent": "sluice-judge"},
                timeout=_TIMEOUT,
            )
        return self._session

    def _context(self) -> ssl.SSLContext | bool:
        """Loaded anew when a certificate has been replaced."""
        if not self._base.startswith("https:"):
            return True
        try:
            versions = self._access.tls.versions()
            if self._tls is None or self._tls[0] != versions:
                self._tls = (versions, self._access.tls.context())
        except OSError as error:
            raise ConfigError(f"the certificates for Prometheus: {line(str(error))}") from None
        return self._tls[1]


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            response.close()
            raise ConfigError(
                f"Prometheus answered with more than {MAX_ANSWER_BYTES >> 20} MiB: shorten "
                "policy.lookback"
            )
    return bytes(content)


def _proxy(url: str) -> str | None:
    """The forward proxy that the environment names for this address, in the usual variables."""
    address: Mapping[str, str] = getproxies()
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else address.get(parts.scheme)
