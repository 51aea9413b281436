"""What the node's containers use, in the metrics of the kubelet's cAdvisor.

Names and labels are those of a cluster, with its traps: a pod has series of its own beside
those of its containers (their label `container` is empty), a restarted container has a new
`id`, and a container without a memory limit has the limit 0.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sandbox.node.usage import Usage

PATH = "/metrics/cadvisor"
_LABELS = ("namespace", "pod", "container", "image", "id", "name")


@dataclass(frozen=True)
class Measured:
    """A running container. `identity` is its containerID; `memory_limit` is in bytes, and 0
    without a limit.
    """

    name: str
    image: str
    identity: str
    usage: Usage
    memory_limit: int


@dataclass(frozen=True)
class MeasuredPod:
    """A pod and those of its containers that run."""

    namespace: str
    name: str
    uid: str
    containers: Sequence[Measured]


def page(pods: Iterable[MeasuredPod]) -> bytes:
    """The metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Families([row for pod in pods for row in _rows(pod)]))
    return generate_latest(registry)


@dataclass(frozen=True)
class _Row:
    labels: tuple[str, ...]
    usage: Usage
    memory_limit: int


def _rows(pod: MeasuredPod) -> Iterator[_Row]:
    group = f"/kubepods/pod{pod.uid}"
    for each in pod.containers:
        name = each.identity.rpartition("/")[2]  # of RUNTIME://NAME
        labels = (pod.namespace, pod.name, each.name, each.image, f"{group}/{name}", name)
        yield _Row(labels, each.usage, each.memory_limit)
    if pod.containers:
        usage = sum((each.usage for each in pod.containers), Usage())
        limits = [each.memory_limit for each in pod.containers]
        # One container without a limit, and the pod has none.
        limit = sum(limits) if all(limits) else 0
        yield _Row((pod.namespace, pod.name, "", "", group, ""), usage, limit)


class _Families(Collector):
    def __init__(self, rows: Sequence[_Row]):
        self._rows = rows

    def collect(self) -> Iterator[Metric]:
        cpu = CounterMetricFamily(
            "container_cpu_usage_seconds_total",
            "Cumulative cpu time consumed in seconds.",
            labels=(*_LABELS, "cpu"),
        )
        memory = GaugeMetricFamily(
            "container_memory_working_set_bytes", "Current working set in bytes.", labels=_LABELS
        )
        limit = GaugeMetricFamily(
            "container_spec_memory_limit_bytes", "Memory limit for the container.", labels=_LABELS
        )
        for row in self._rows:
            cpu.add_metric((*row.labels, "total"), row.usage.cpu)
            memory.add_metric(row.labels, row.usage.memory)
            limit.add_metric(row.labels, row.memory_limit)
        yield from (cpu, memory, limit)
