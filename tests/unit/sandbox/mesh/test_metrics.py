"""Counting what the Envoys report."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.mesh import names
from sandbox.mesh.accesslog import Request
from sandbox.mesh.metrics import AccessLogs, Recorder
from sandbox.mesh.pods import Pods
from sandbox.network import Network

REQUEST = Request(
    caller="127.42.1.7",
    cluster="outbound|80||web.shop.svc.cluster.local",
    upstream="127.42.1.4",
    reached=True,
    code=200,
    flags="-",
    milliseconds=240,
)


def pod(name: str, ip: str | None, version: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "shop", "labels": {"version": version}},
        "status": {"podIP": ip} if ip else {},
    }


@pytest.fixture
def logs(tmp_path: Path) -> AccessLogs:
    pods = Pods(Network(42), tmp_path / "kubeconfig")
    pods.learn(pod("web", "10.244.1.4", "2"))
    pods.learn(pod("caller", "10.244.1.7", "1"))
    return AccessLogs(Recorder(), pods)


def samples(logs: AccessLogs, name: str, **wanted: str) -> list[float]:
    return [
        sample.value
        for metric in logs.recorder.registry.collect()
        for sample in metric.samples
        if sample.name == name and wanted.items() <= sample.labels.items()
    ]


def test_a_request_is_counted_once_as_its_caller_and_once_as_its_pod_saw_it(logs: AccessLogs):
    for _ in range(3):
        logs.take(names.GATEWAY.id, REQUEST)
    for reporter in ("source", "destination"):
        assert samples(
            logs,
            "istio_requests_total",
            reporter=reporter,
            source_workload="istio-ingressgateway",
            destination_workload="web",
            destination_version="2",
            response_code="200",
        ) == [3]


def test_only_the_caller_reports_a_request_that_did_not_reach_the_pod(logs: AccessLogs):
    logs.take(names.GATEWAY.id, replace(REQUEST, reached=False, code=503))
    assert samples(logs, "istio_requests_total", destination_workload="web") == [1]
    assert samples(logs, "istio_requests_total", reporter="destination") == []


def test_a_request_that_no_pod_answers_is_counted_as_unknown(logs: AccessLogs):
    logs.take(names.GATEWAY.id, replace(REQUEST, upstream="", reached=False, code=503))
    assert samples(
        logs,
        "istio_requests_total",
        reporter="source",
        destination_service_name="web",
        destination_version="unknown",
    ) == [1]


def test_durations_are_in_istios_buckets_in_milliseconds(logs: AccessLogs):
    logs.take(names.GATEWAY.id, REQUEST)
    logs.take(names.GATEWAY.id, replace(REQUEST, milliseconds=260))
    name, source = "istio_request_duration_milliseconds", {"reporter": "source"}
    assert samples(logs, f"{name}_bucket", le="100.0", **source) == [0]
    assert samples(logs, f"{name}_bucket", le="250.0", **source) == [1]
    assert samples(logs, f"{name}_bucket", le="500.0", **source) == [2]
    assert samples(logs, f"{name}_count", **source) == [2]
    assert samples(logs, f"{name}_sum", **source) == [500]


def test_a_request_through_the_proxy_has_the_pod_that_sent_it_as_source(logs: AccessLogs):
    logs.take(names.PROXY.id, REQUEST)
    logs.take(names.PROXY.id, replace(REQUEST, caller="127.0.0.1"))
    assert samples(logs, "istio_requests_total", reporter="source", source_workload="caller") == [1]
    assert samples(logs, "istio_requests_total", reporter="source", source_workload="unknown") == [
        1
    ]


def test_an_address_keeps_its_pod_until_another_pod_has_it(logs: AccessLogs):
    """What was under way when a pod was deleted still counts for its version."""
    logs.pods.learn(pod("web", None, "2"))
    logs.take(names.GATEWAY.id, REQUEST)
    logs.pods.learn(pod("next", "10.244.1.4", "3"))
    logs.take(names.GATEWAY.id, REQUEST)
    for version in ("2", "3"):
        assert samples(
            logs, "istio_requests_total", reporter="source", destination_version=version
        ) == [1]
