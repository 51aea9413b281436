"""Prometheus gets the containers' use with the names and labels it has on a cluster."""

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from sandbox.node.cadvisor import Measured, MeasuredPod, page
from sandbox.node.usage import Usage

MIB = 2**20
WEB = Measured("web", "shop/web:1", "process://71", Usage(40 * MIB, 1.5), 128 * MIB)
AGENT = Measured("agent", "shop/agent:2", "process://72", Usage(10 * MIB, 0.25), 0)
POD = MeasuredPod("shop", "web-1", "0a1b", [WEB])


def values(*pods: MeasuredPod, metric: str) -> Mapping[tuple[str, str], float]:
    """The metric's values by pod and container."""
    families = text_string_to_metric_families(page(pods).decode())
    return {
        (sample.labels["pod"], sample.labels["container"]): sample.value
        for family in families
        for sample in family.samples
        if sample.name == metric
    }


def test_a_container_has_the_labels_of_a_cluster():
    families = text_string_to_metric_families(page([POD]).decode())
    [cpu] = [family for family in families if family.name == "container_cpu_usage_seconds"]
    [sample, _] = cpu.samples
    assert sample.labels == {
        "namespace": "shop",
        "pod": "web-1",
        "container": "web",
        "image": "shop/web:1",
        "id": "/kubepods/pod0a1b/71",
        "name": "71",
        "cpu": "total",
    }


def test_a_pod_is_the_sum_of_its_containers_in_a_series_of_its_own():
    pod = MeasuredPod("shop", "web-1", "0a1b", [WEB, AGENT])
    memory = values(pod, metric="container_memory_working_set_bytes")
    assert memory == {
        ("web-1", "web"): 40 * MIB,
        ("web-1", "agent"): 10 * MIB,
        ("web-1", ""): 50 * MIB,
    }
    assert values(pod, metric="container_cpu_usage_seconds_total")["web-1", ""] == 1.75


def test_no_limit_is_the_limit_0_of_the_container_and_of_its_pod():
    limited = values(POD, metric="container_spec_memory_limit_bytes")
    assert limited == {("web-1", "web"): 128 * MIB, ("web-1", ""): 128 * MIB}
    pod = MeasuredPod("shop", "web-1", "0a1b", [WEB, AGENT])
    unlimited = values(pod, metric="container_spec_memory_limit_bytes")
    assert (unlimited["web-1", "agent"], unlimited["web-1", ""]) == (0, 0)


def test_a_pod_of_which_nothing_runs_has_no_series():
    assert not values(
        MeasuredPod("shop", "web-1", "0a1b", []), metric="container_memory_working_set_bytes"
    )
