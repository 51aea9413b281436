"""Argo Rollouts and Flagger as they run on a cluster; only their addresses are local."""

from sandbox import ports
from sandbox.layout import Layout
from sandbox.mesh.names import PROXY_PORT
from sandbox.network import Network
from sandbox.process import Process, http_ready

NAMESPACES = ("argo-rollouts", "flagger-system")


def processes(layout: Layout, network: Network) -> tuple[Process, Process]:
    """The two controllers. Istio's and their own CRDs must be served when they start."""
    return _argo(layout, network), _flagger(layout, network)


def _environment(network: Network) -> dict[str, str]:
    # Go's HTTP client never proxies loopback, so only in-cluster names (the judge's Service)
    # go through the mesh, and requests to the API server stay direct.
    return {"HTTP_PROXY": network.url("proxy", PROXY_PORT)}


def _argo(layout: Layout, network: Network) -> Process:
    address = network.address("argo-rollouts")
    return Process(
        name="argo-rollouts",
        argv=[
            str(layout.binaries / "rollouts-controller"),
            f"--kubeconfig={layout.kubeconfig}",
            "--leader-elect=false",
            "--istio-api-version=v1",
            f"--metricsPort={ports.ARGO_METRICS}",
            f"--healthzPort={ports.ARGO_HEALTH}",
        ],
        env={**_environment(network), "LISTEN_HOST": address},
        listens=[(address, ports.ARGO_METRICS), (address, ports.ARGO_HEALTH)],
        ready=http_ready(f"http://{address}:{ports.ARGO_HEALTH}/healthz"),
        version=layout.kubeconfig.read_text(),
    )


def _flagger(layout: Layout, network: Network) -> Process:
    address = network.address("flagger")
    return Process(
        name="flagger",
        argv=[
            str(layout.binaries / "flagger"),
            f"-kubeconfig={layout.kubeconfig}",
            "-mesh-provider=istio",
            f"-metrics-server={network.url('prometheus', ports.PROMETHEUS)}",
            # How soon a new Canary is noticed; its own ticks stay at analysis.interval.
            "-control-loop-interval=1s",
            "-log-level=info",
            f"-port={address}:{ports.FLAGGER}",
        ],
        env=_environment(network),
        listens=[(address, ports.FLAGGER)],
        ready=http_ready(f"http://{address}:{ports.FLAGGER}/healthz"),
        version=layout.kubeconfig.read_text(),
    )
