"""kube-state-metrics as it runs on a cluster, of pods only."""

from sandbox import ports
from sandbox.layout import Layout
from sandbox.network import Network
from sandbox.process import Process, http_ready


def process(layout: Layout, network: Network) -> Process:
    """It needs the API server. Each pod's labels `version` and `app` become labels of
    `kube_pod_labels`, by which queries tell a canary's pods from those of stable.
    """
    address = network.address("kube-state-metrics")
    port, own_port = ports.KUBE_STATE_METRICS, ports.KUBE_STATE_METRICS_SELF
    return Process(
        name="kube-state-metrics",
        argv=[
            str(layout.binaries / "kube-state-metrics"),
            f"--kubeconfig={layout.kubeconfig}",
            "--resources=pods",
            "--metric-labels-allowlist=pods=[version,app]",
            *(f"--host={address}", f"--port={port}"),
            *(f"--telemetry-host={address}", f"--telemetry-port={own_port}"),
        ],
        listens=[(address, port), (address, own_port)],
        ready=http_ready(f"http://{address}:{port}/healthz"),
        version=layout.kubeconfig.read_text(),
    )
