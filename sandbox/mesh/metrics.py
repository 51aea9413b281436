"""Istio's standard metrics, made from what the Envoys report of each request.

    python -m sandbox.mesh.metrics --octet N --kubeconfig FILE

On a cluster each proxy counts by itself, with a filter that upstream Envoy lacks. Here the
gateway and the proxy send every finished request to this access log service, which joins
it with the pod behind the address. `reporter="source"` is the caller's view and counts
every request; `reporter="destination"` is what the sidecar of the pod would have seen and
counts those that were sent to a pod (the last attempt only: a retry replaces the attempt
before it).
"""

# The generated message classes are made at import time, where no type checker sees them.
# pyright: reportAttributeAccessIssue=false

import argparse
import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import uvicorn
from envoy.service.accesslog.v3.als_pb2 import StreamAccessLogsMessage, StreamAccessLogsResponse
from envoy.service.accesslog.v3.als_pb2_grpc import (
    AccessLogServiceServicer,
    add_AccessLogServiceServicer_to_server,
)
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.mesh import names
from sandbox.mesh.accesslog import Request, request
from sandbox.mesh.labels import LABELS, NOBODY, Workload, labels
from sandbox.mesh.pods import Pods
from sandbox.network import Network

# Milliseconds, as Istio's proxies have them.
BUCKETS = (
    *(0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000),
    *(60000, 300000, 600000, 1800000, 3600000),
)


GATEWAY_WORKLOAD = Workload(
    name=names.GATEWAY.workload,
    namespace=names.NAMESPACE,
    app=names.GATEWAY.labels["app"],
    canonical_service=names.GATEWAY.workload,
)


class Recorder:
    """The two metrics in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("istio_requests_total", "Requests.", LABELS, registry=self.registry)
        self.durations = Histogram(
            "istio_request_duration_milliseconds",
            "Duration of requests in milliseconds.",
            LABELS,
            registry=self.registry,
            buckets=BUCKETS,
        )

    def record(self, source: Workload, destination: Workload, request: Request) -> None:
        reporters = ["source"]
        if request.reached and destination is not NOBODY:
            reporters.append("destination")
        for reporter in reporters:
            values = labels(reporter, source, destination, request)
            self.requests.labels(*values).inc()
            self.durations.labels(*values).observe(request.milliseconds)


class AccessLogs(AccessLogServiceServicer):
    """Envoy's access log service: one stream per Envoy, named by its first message."""

    def __init__(self, recorder: Recorder, pods: Pods):
        self.recorder = recorder
        self.pods = pods

    async def StreamAccessLogs(  # noqa: N802 - the name is the protocol's
        self,
        request_iterator: AsyncIterator[StreamAccessLogsMessage],
        context: grpc.aio.ServicerContext,  # noqa: ARG002
    ) -> StreamAccessLogsResponse:
        node = ""
        async for message in request_iterator:
            node = message.identifier.node.id or node
            for entry in message.http_logs.log_entry:
                self.take(node, request(entry))
        return StreamAccessLogsResponse()

    def take(self, node: str, request: Request) -> None:
        source = GATEWAY_WORKLOAD if node == names.GATEWAY.id else self.pods.at(request.caller)
        self.recorder.record(source, self.pods.at(request.upstream), request)


def pages(recorder: Recorder, serving: asyncio.Event) -> Starlette:
    async def metrics(_: HttpRequest) -> Response:
        return Response(
            generate_latest(recorder.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def healthz(_: HttpRequest) -> Response:
        if serving.is_set():
            return PlainTextResponse("ok")
        return PlainTextResponse("the pods are not known yet", status_code=503)

    return Starlette(routes=[Route("/metrics", metrics), Route("/healthz", healthz)])


async def serve(network: Network, kubeconfig: Path) -> None:
    """Take access logs and serve the metrics until SIGTERM or SIGINT."""
    address = network.address("relay")
    recorder, pods, serving = Recorder(), Pods(network, kubeconfig), asyncio.Event()
    logs = grpc.aio.server()
    add_AccessLogServiceServicer_to_server(AccessLogs(recorder, pods), logs)
    logs.add_insecure_port(f"{address}:{names.ACCESS_LOG_PORT}")

    async def take_logs() -> None:
        # Only now: a request must not be counted for an unknown workload because its pod
        # was not read yet.
        await pods.known.wait()
        await logs.start()
        serving.set()

    config = uvicorn.Config(
        pages(recorder, serving), host=address, port=names.METRICS_PORT, log_level="warning"
    )
    tasks = [asyncio.create_task(pods.follow()), asyncio.create_task(take_logs())]
    await uvicorn.Server(config).serve()
    for task in tasks:
        task.cancel()
    await logs.stop(grace=0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--octet", type=int, required=True, help="second octet of the sandbox")
    parser.add_argument("--kubeconfig", type=Path, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    disable_created_metrics()
    asyncio.run(serve(Network(arguments.octet), arguments.kubeconfig))


if __name__ == "__main__":
    main()
