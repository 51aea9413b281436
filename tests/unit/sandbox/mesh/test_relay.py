"""The relay between an Envoy and istiod, over real gRPC."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from sandbox.mesh import names
from sandbox.mesh.relay import METHOD, SERVICE, Relay
from sandbox.network import Network, port_is_free

NOT_XDS = b"\x0a\x03abc"


@pytest.fixture
def network() -> Network:
    return next(
        network
        for network in map(Network, range(201, 250))
        if port_is_free(network.address("istiod"), names.XDS_PORT)
    )


class Istiod:
    """Answers each request with its own bytes."""

    async def stream(
        self, requests: AsyncIterator[bytes], _context: grpc.aio.ServicerContext
    ) -> AsyncIterator[bytes]:
        async for request in requests:
            yield request

    async def start(self, network: Network) -> grpc.aio.Server:
        server = grpc.aio.server()
        handler = grpc.stream_stream_rpc_method_handler(self.stream)
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),)
        )
        server.add_insecure_port(f"{network.address('istiod')}:{names.XDS_PORT}")
        await server.start()
        return server


@pytest.fixture
async def relay(network: Network) -> AsyncIterator[Relay]:
    relay = Relay(network)
    server = await relay.start()
    yield relay
    await server.stop(grace=None)
    await relay.channel.close()


def envoy(network: Network) -> tuple[grpc.aio.Channel, grpc.aio.StreamStreamCall]:
    channel = grpc.aio.insecure_channel(f"{network.address('relay')}:{names.XDS_PORT}")
    return channel, channel.stream_stream(f"/{SERVICE}/{METHOD}")()


async def test_requests_and_answers_pass_in_both_directions(network: Network, relay: Relay):
    istiod = await Istiod().start(network)
    channel, call = envoy(network)
    for _ in range(3):
        await call.write(NOT_XDS)
        assert await call.read() == NOT_XDS
    await channel.close()
    await istiod.stop(grace=None)


async def test_a_lost_istiod_ends_the_stream_so_that_envoy_reconnects(
    network: Network, relay: Relay
):
    istiod = await Istiod().start(network)
    channel, call = envoy(network)
    await call.write(NOT_XDS)
    await call.read()
    await istiod.stop(grace=None)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await asyncio.wait_for(call.read(), timeout=30)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE

    istiod = await Istiod().start(network)
    # Envoy's own behaviour: try again until it works.
    for _ in range(100):
        again = channel.stream_stream(f"/{SERVICE}/{METHOD}")()
        try:
            await again.write(NOT_XDS)
            assert await again.read() == NOT_XDS
            break
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await asyncio.sleep(0.1)
    else:
        pytest.fail("the relay did not find the new istiod")
    await channel.close()
    await istiod.stop(grace=None)
