"""The ADS relay between the Envoys and istiod: passes everything on, maps pod addresses.

    python -m sandbox.mesh.relay --octet N

One stream to istiod per stream of an Envoy. When either side ends, so does the other;
Envoy then keeps what it has and reconnects by itself, which is how istiod restarts
unnoticed by traffic.
"""

import argparse
import asyncio
import logging
import signal
from collections.abc import AsyncIterator

import grpc

from sandbox.mesh import names
from sandbox.mesh.rewrite import map_answer
from sandbox.network import Network

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
METHOD = "StreamAggregatedResources"
# A whole configuration may be larger than gRPC's default of 4 MB.
_OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]

log = logging.getLogger("relay")


class Relay:
    """Requests and answers stay bytes: what the relay does not understand it cannot lose."""

    def __init__(self, network: Network):
        self.network = network
        # A restarted istiod is found within a second.
        options = [*_OPTIONS, ("grpc.max_reconnect_backoff_ms", 1000)]
        self.channel = grpc.aio.insecure_channel(
            f"{network.address('istiod')}:{names.XDS_PORT}", options=options
        )
        self.method = self.channel.stream_stream(f"/{SERVICE}/{METHOD}")

    async def stream(
        self, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext
    ) -> AsyncIterator[bytes]:
        log.info("%s connected", context.peer())
        call = self.method(requests)
        try:
            async for answer in call:
                yield map_answer(answer, self.network)
        except grpc.aio.AioRpcError as error:
            log.warning("istiod: %s %s", error.code().name, error.details())
            await context.abort(grpc.StatusCode.UNAVAILABLE, f"istiod: {error.details()}")
        finally:
            call.cancel()
            log.info("%s left", context.peer())

    async def start(self) -> grpc.aio.Server:
        server = grpc.aio.server(options=_OPTIONS)
        handler = grpc.stream_stream_rpc_method_handler(self.stream)
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),)
        )
        server.add_insecure_port(f"{self.network.address('relay')}:{names.XDS_PORT}")
        await server.start()
        return server


async def serve(network: Network) -> None:
    """Relay until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    relay = Relay(network)
    server = await relay.start()
    await stop.wait()
    await server.stop(grace=0.5)
    await relay.channel.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--octet", type=int, required=True, help="second octet of the sandbox")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(serve(Network(parser.parse_args().octet)))


if __name__ == "__main__":
    main()
