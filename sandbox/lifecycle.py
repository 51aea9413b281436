"""The sandbox as a whole: up, down, status. Each can be repeated, and follows any crash."""

import asyncio
import fcntl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox import (
    cluster,
    controllers,
    controlplane,
    kube_state_metrics,
    mesh,
    prometheus,
    rules,
)
from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.network import Network, port_is_free
from sandbox.node.process import process as node_process
from sandbox.process import Process, Processes
from sandbox.toolchain.build import build

Report = Callable[[str], None]

LAST = {"kube-apiserver": 1, "etcd": 2}


@dataclass(frozen=True)
class Parts:
    """All processes: the control plane, then chains that start side by side once the API
    server knows every kind. Within a chain each process needs the one before it.
    """

    controlplane: Sequence[Process]
    chains: Sequence[Sequence[Process]]

    @property
    def all(self) -> list[Process]:
        return [*self.controlplane, *(process for chain in self.chains for process in chain)]


def parts(layout: Layout, network: Network) -> Parts:
    """The specification of every process of the sandbox; makes its keys and kubeconfig."""
    etcd, apiserver, controller_manager = controlplane.processes(layout, network)
    argo, flagger = controllers.processes(layout, network)
    return Parts(
        controlplane=[etcd, apiserver],
        chains=[
            mesh.processes(network, layout.kubeconfig, layout.sandbox / "mesh", layout.binaries),
            [controller_manager, node_process(network, layout.kubeconfig, layout.sandbox)],
            [prometheus.process(layout, network), rules.process(layout, network)],
            [kube_state_metrics.process(layout, network)],
            [argo, flagger],
        ],
    )


def up(layout: Layout, report: Report) -> Network:
    """Build what is missing, start what does not run, wait until all of it is healthy."""
    with _locked(layout.state):
        build(layout, report)
    with _locked(layout.sandbox):
        processes = Processes(layout.sandbox)
        network = _usable_network(layout, processes, report)
        wanted = parts(layout, network)

        def start(process: Process) -> None:
            if processes.ensure(process):
                report(f"{process.name} is up")

        for process in wanted.controlplane:
            start(process)
        asyncio.run(_prepare(layout, network, report))
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(_each, start, chain) for chain in wanted.chains]:
                done.result()
    return network


def down(layout: Layout, report: Report) -> None:
    """Stop everything that `up`, its pods and the demo started."""
    with _locked(layout.sandbox):
        processes = Processes(layout.sandbox)
        newest_first = reversed(processes.records())
        # Whatever the order they were started in after a crash: all others watch these two.
        for record in sorted(newest_first, key=lambda record: LAST.get(record.name, 0)):
            if record.alive():
                report(f"stopping {record.name}")
            processes.stop(record.name)


@dataclass(frozen=True)
class PartStatus:
    name: str
    state: str  # "ready", "not ready" or "stopped"
    pid: int | None
    listens: str


def status(layout: Layout) -> list[PartStatus]:
    """What runs now, in start order. Raises SandboxError where nothing was ever started."""
    if not layout.kubeconfig.exists():
        raise SandboxError("There is no sandbox yet. Run `sluice sandbox up` first.")
    processes = Processes(layout.sandbox)
    found = []
    for process in parts(layout, layout.network()).all:
        running = processes.find(process.name)
        state = "stopped" if not running else "ready" if process.answers() else "not ready"
        found.append(
            PartStatus(
                name=process.name,
                state=state,
                pid=running.pid if running else None,
                listens=" ".join(f"{address}:{port}" for address, port in process.listens),
            )
        )
    return found


def _each(start: Callable[[Process], None], chain: Sequence[Process]) -> None:
    for process in chain:
        start(process)


async def _prepare(layout: Layout, network: Network, report: Report) -> None:
    api = await cluster.connect(layout.kubeconfig)
    if await cluster.apply_crds(api, layout.crds):
        report("CRDs of Argo Rollouts, Flagger, Istio, Prometheus Operator and KEDA are served")
    await cluster.wait_readable(api)
    namespaces = [cluster.namespace(name) for name in controllers.NAMESPACES]
    for manifest in [*namespaces, *mesh.manifests(network), *prometheus.manifests(network)]:
        await cluster.apply(api, manifest)


def _usable_network(layout: Layout, processes: Processes, report: Report) -> Network:
    """The network of last time, or another one when somebody else listens there now."""
    network = layout.network()
    if any(record.alive() for record in processes.records()):
        return network
    for process in parts(layout, network).all:
        for address, port in process.listens:
            if not port_is_free(address, port):
                layout.forget_network()
                moved = layout.network()
                report(
                    f"{address}:{port} is in use by another process: "
                    f"this sandbox moves to 127.{moved.octet}.0.0/16"
                )
                return moved
    return network


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One build, `up` or `down` in a folder at a time; a second one waits."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
