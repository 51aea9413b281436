"""The node stand-in as a process of the sandbox."""

import sys
from pathlib import Path

from sandbox.layout import KUBELET_PORT, ROOT
from sandbox.network import Network
from sandbox.process import Process, http_ready, sources


def process(network: Network, kubeconfig: Path, folder: Path) -> Process:
    """Ready when it has seen the API server's pods; keeps the pods' logs in `folder`/pods."""
    return Process(
        name="node",
        argv=[
            *(sys.executable, "-m", "sandbox.node"),
            *("--kubeconfig", str(kubeconfig)),
            *("--octet", str(network.octet)),
            *("--state", str(folder)),
        ],
        env={"PYTHONPATH": str(ROOT)},
        listens=[(network.address("node"), KUBELET_PORT)],
        ready=http_ready(f"{network.url('node', KUBELET_PORT)}/healthz"),
        version=sources("sandbox/node"),
    )
