"""What Envoy reports of each request: the entry of its access log service, and the object
by which istiod tells Envoy to report.

Istio can switch on this service by itself (enableEnvoyAccessLogService), but Envoy then
leaves out the cluster of a request that found no endpoint, so an EnvoyFilter adds the same
logger with two tags more.
"""

# The generated message classes are made at import time, where no type checker sees them.
# pyright: reportAttributeAccessIssue=false

from dataclasses import dataclass
from typing import Any

from envoy.data.accesslog.v3.accesslog_pb2 import HTTPAccessLogEntry

from sandbox.mesh import names

_CLUSTER_TAG = "cluster"
_FLAGS_TAG = "flags"
_TYPE = "type.googleapis.com/"
_HTTP_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_LOGGER = "envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig"


@dataclass(frozen=True)
class Request:
    """One finished request. `caller` and `upstream` are addresses without port, empty when
    unknown; `cluster` is Envoy's cluster name, empty when no route matched; `reached` says
    whether the request was sent to the upstream; `code` is 0 when the caller left before
    an answer; `milliseconds` is the time from its first byte to the answer's last.
    """

    caller: str
    cluster: str
    upstream: str
    reached: bool
    code: int
    flags: str
    milliseconds: float


def request(entry: HTTPAccessLogEntry) -> Request:
    common = entry.common_properties
    return Request(
        caller=common.downstream_direct_remote_address.socket_address.address,
        cluster=common.custom_tags.get(_CLUSTER_TAG, ""),
        upstream=common.upstream_remote_address.socket_address.address,
        reached=common.HasField("time_to_first_upstream_tx_byte"),
        code=entry.response.response_code.value,
        flags=common.custom_tags.get(_FLAGS_TAG, "-"),
        milliseconds=common.duration.seconds * 1000 + common.duration.nanos / 1e6,
    )


def filter_spec() -> dict[str, Any]:
    """The spec of the EnvoyFilter that makes every Envoy of the mesh report its requests."""
    logger = {
        "@type": _TYPE + _LOGGER,
        "common_config": {
            "log_name": "requests",
            "transport_api_version": "V3",
            "grpc_service": {"envoy_grpc": {"cluster_name": names.ACCESS_LOG_CLUSTER}},
            # Short against Prometheus' interval, so that a scrape misses next to nothing.
            "buffer_flush_interval": "0.2s",
            "custom_tags": [
                {"tag": _CLUSTER_TAG, "value": "%UPSTREAM_CLUSTER_RAW%"},
                {"tag": _FLAGS_TAG, "value": "%RESPONSE_FLAGS%"},
            ],
        },
    }
    manager = {
        "@type": _TYPE + _HTTP_MANAGER,
        "access_log": [{"name": "envoy.access_loggers.http_grpc", "typed_config": logger}],
    }
    http_manager = {"filter": {"name": "envoy.filters.network.http_connection_manager"}}
    return {
        "configPatches": [
            {
                "applyTo": "NETWORK_FILTER",
                "match": {"listener": {"filterChain": http_manager}},
                "patch": {"operation": "MERGE", "value": {"typed_config": manager}},
            }
        ]
    }
