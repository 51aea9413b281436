"""The client keeps connections, repeats nothing but a call on a stale one, and names failures."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sandbox.load.client import CallError, Pool, Target

HOST = "127.0.0.1"


class Server:
    """Answers 200; `connections` and `requests` count; paths change what it does."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.hanging = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> int:
        self._server = await asyncio.start_server(self._handle, HOST, port)
        return self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        self.hanging.set()
        if self._server:
            self._server.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        served_here = 0
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head)
                served_here += 1
                match head.split()[1]:
                    case b"/500":
                        writer.write(b"HTTP/1.1 500 x\r\nContent-Length: 2\r\n\r\nno")
                    case b"/chunked":
                        writer.write(b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n")
                        writer.write(b"1\r\na\r\n0\r\n\r\n")
                    case b"/last":
                        writer.write(
                            b"HTTP/1.1 200 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                        )
                    case b"/reset":
                        return
                    case b"/half":
                        writer.write(b"HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\nhalf")
                        return
                    case b"/stale" if served_here > 1:
                        return
                    case b"/never":
                        await self.hanging.wait()
                    case b"/garbage":
                        writer.write(b"SSH-2.0-something\r\n\r\n")
                    case _:
                        writer.write(b"HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n")
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
async def pool(server: Server) -> AsyncIterator[Pool]:
    pool = Pool(Target(HOST, await server.start()))
    yield pool
    pool.close()


async def get(pool: Pool, path: str = "/") -> int:
    return await pool.get("checkout.local", path, 30)


async def test_calls_one_after_the_other_share_a_connection(server: Server, pool: Pool):
    statuses = [await get(pool, path) for path in ("/", "/500", "/chunked", "/")]
    assert statuses == [200, 500, 200, 200]
    assert server.connections == 1


async def test_the_host_header_and_the_path_are_sent(server: Server, pool: Pool):
    await get(pool, "/cart")
    assert server.requests[0].startswith(b"GET /cart HTTP/1.1\r\nHost: checkout.local\r\n")


async def test_calls_at_the_same_time_use_their_own_connections(server: Server, pool: Pool):
    await asyncio.gather(*(get(pool) for _ in range(3)))
    assert server.connections == 3


async def test_a_connection_the_server_closes_is_not_used_again(server: Server, pool: Pool):
    assert [await get(pool, "/last"), await get(pool)] == [200, 200]
    assert server.connections == 2


async def test_a_call_on_a_stale_connection_is_repeated_on_a_fresh_one(server: Server, pool: Pool):
    assert [await get(pool), await get(pool, "/stale")] == [200, 200]
    assert server.connections == 2


@pytest.mark.parametrize("path", ["/reset", "/half", "/garbage"])
async def test_a_broken_answer_is_a_reset_and_not_repeated(server: Server, pool: Pool, path: str):
    with pytest.raises(CallError) as error:
        await get(pool, path)
    assert error.value.kind == "reset"
    assert len(server.requests) == 1


async def test_half_an_answer_on_a_kept_connection_is_not_repeated(server: Server, pool: Pool):
    await get(pool)
    with pytest.raises(CallError):
        await get(pool, "/half")
    assert len(server.requests) == 2


async def test_no_answer_in_time(server: Server, pool: Pool):
    with pytest.raises(CallError) as error:
        await pool.get("checkout.local", "/never", 0.1)
    assert error.value.kind == "timeout"


async def test_nobody_listening_is_a_connect_error_until_somebody_does(server: Server):
    port = await server.start()
    server.close()
    pool = Pool(Target(HOST, port))
    with pytest.raises(CallError) as error:
        await get(pool)
    assert error.value.kind == "connect"
    await server.start(port)
    assert await get(pool) == 200
    pool.close()
