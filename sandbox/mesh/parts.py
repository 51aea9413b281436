"""The mesh's processes, in the order in which they start, and the objects they need."""

import sys
from pathlib import Path
from typing import Any

from sandbox.layout import ROOT
from sandbox.mesh import accesslog, envoy, istiod, names
from sandbox.network import Network
from sandbox.process import Process, http_ready, sources, tcp_ready


def manifests(network: Network) -> list[dict[str, Any]]:
    """Objects to apply before the mesh starts (Istio's CRDs must exist): its namespace, the
    Gateway `ingress` for requests from outside, the Sidecar that makes the proxy's HTTP
    proxy port, and the EnvoyFilter by which both report their requests. Gateway and
    Sidecar name the loopback address to listen on, as Istio's API allows.
    """
    gateway = {
        "selector": {"istio": names.GATEWAY.labels["istio"]},
        "servers": [
            {
                "port": {"number": names.GATEWAY_PORT, "name": "http", "protocol": "HTTP"},
                "bind": network.address("gateway"),
                "hosts": ["*"],
            }
        ],
    }
    sidecar = {
        "workloadSelector": {"labels": names.PROXY.labels},
        "egress": [
            {
                "port": {
                    "number": names.PROXY_PORT,
                    "name": "http-proxy",
                    "protocol": "HTTP_PROXY",
                },
                "bind": network.address("proxy"),
                "captureMode": "NONE",
                "hosts": ["*/*"],
            }
        ],
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": names.NAMESPACE}},
        _istio("Gateway", "ingress", gateway),
        _istio("Sidecar", names.PROXY.workload, sidecar),
        # Istio serves this kind in no later version.
        _istio("EnvoyFilter", "request-reports", accesslog.filter_spec(), version="v1alpha3"),
    ]


def processes(network: Network, kubeconfig: Path, folder: Path, binaries: Path) -> list[Process]:
    """The processes of the mesh in start order. `folder` takes their configuration files;
    `binaries` holds pilot-discovery. `manifests` must have been applied.
    """
    return [
        istiod.process(network, kubeconfig, folder, binaries),
        _relay(network),
        _metrics(network, kubeconfig),
        envoy.process(network, folder, names.GATEWAY, names.GATEWAY_PORT),
        envoy.process(network, folder, names.PROXY, names.PROXY_PORT),
    ]


def _istio(kind: str, name: str, spec: dict[str, Any], version: str = "v1") -> dict[str, Any]:
    return {
        "apiVersion": f"networking.istio.io/{version}",
        "kind": kind,
        "metadata": {"name": name, "namespace": names.NAMESPACE},
        "spec": spec,
    }


def _relay(network: Network) -> Process:
    address = network.address("relay")
    return Process(
        name="mesh-relay",
        argv=[sys.executable, "-m", "sandbox.mesh.relay", f"--octet={network.octet}"],
        env={"PYTHONPATH": str(ROOT)},
        listens=[(address, names.XDS_PORT)],
        ready=tcp_ready(address, names.XDS_PORT),
        version=sources("sandbox/mesh"),
    )


def _metrics(network: Network, kubeconfig: Path) -> Process:
    address = network.address("relay")
    return Process(
        name="mesh-metrics",
        argv=[
            *(sys.executable, "-m", "sandbox.mesh.metrics"),
            f"--octet={network.octet}",
            f"--kubeconfig={kubeconfig}",
        ],
        env={"PYTHONPATH": str(ROOT)},
        listens=[(address, names.METRICS_PORT), (address, names.ACCESS_LOG_PORT)],
        ready=http_ready(f"http://{address}:{names.METRICS_PORT}/healthz"),
        version=kubeconfig.read_text() + sources("sandbox/mesh"),
    )
