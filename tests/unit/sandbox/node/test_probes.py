"""Probes are read from the pod specification with Kubernetes' defaults and thresholds."""

from typing import Any

import pytest

from sandbox.node.probes import (
    Exec,
    HttpGet,
    Probe,
    Sleep,
    TcpSocket,
    UnsupportedError,
    Verdict,
    hook,
    probe,
)

ADDRESS = "127.42.1.1"


def container(**more: Any) -> dict[str, Any]:
    return {"name": "app", "ports": [{"name": "http", "containerPort": 8080}], **more}


def verdict(passing: bool, success: int = 1, failure: int = 3) -> Verdict:
    return Verdict(Probe(Exec(["true"]), 0, 1, 1, success, failure), passing)


def test_without_a_probe_there_is_none():
    assert probe(container(), "readinessProbe", ADDRESS) is None


def test_a_probe_has_the_defaults_of_the_api():
    spec = {"httpGet": {"path": "/readyz", "port": "http"}}
    found = probe(container(readinessProbe=spec), "readinessProbe", ADDRESS)
    assert found == Probe(HttpGet("http://127.42.1.1:8080/readyz", {}), 0, 10, 1, 1, 3)


def test_every_setting_of_a_probe_is_used():
    spec = {
        "httpGet": {
            "port": 9000,
            "scheme": "HTTPS",
            "host": "127.0.0.9",
            "httpHeaders": [{"name": "X-Probe", "value": "1"}],
        },
        "initialDelaySeconds": 2,
        "periodSeconds": 3,
        "timeoutSeconds": 4,
        "successThreshold": 5,
        "failureThreshold": 6,
    }
    found = probe(container(livenessProbe=spec), "livenessProbe", ADDRESS)
    action = HttpGet("https://127.0.0.9:9000/", {"X-Probe": "1"})
    assert found == Probe(action, 2, 3, 4, 5, 6)


def test_tcp_probes_and_exec_probes():
    tcp = container(startupProbe={"tcpSocket": {"port": "http"}})
    found = probe(tcp, "startupProbe", ADDRESS)
    assert found
    assert found.action == TcpSocket(ADDRESS, 8080)
    executed = container(startupProbe={"exec": {"command": ["cat", "ok"]}})
    found = probe(executed, "startupProbe", ADDRESS)
    assert found
    assert found.action == Exec(["cat", "ok"])


def test_the_pre_stop_hook_knows_sleep():
    spec = container(lifecycle={"preStop": {"sleep": {"seconds": 5}}})
    assert hook(spec, "preStop", ADDRESS) == Sleep(5)
    assert hook(spec, "postStart", ADDRESS) is None


def test_what_is_not_supported_is_named_with_its_place():
    spec = container(livenessProbe={"grpc": {"port": 9000}, "periodSeconds": 3})
    with pytest.raises(UnsupportedError, match=r"livenessProbe of container app: .* not grpc"):
        probe(spec, "livenessProbe", ADDRESS)


def test_an_unknown_port_name_is_named():
    spec = container(readinessProbe={"tcpSocket": {"port": "metrics"}})
    with pytest.raises(UnsupportedError, match='no port named "metrics"'):
        probe(spec, "readinessProbe", ADDRESS)


def test_a_verdict_changes_after_as_many_equal_results_in_a_row_as_its_threshold():
    tested = verdict(passing=True)
    results = [tested.add(ok) for ok in (False, False, True, False, False, False, False)]
    assert results == [False, False, False, False, False, True, False]
    assert tested.failed
    assert not tested.passing


def test_success_needs_its_own_threshold():
    tested = verdict(passing=False, success=2)
    assert [tested.add(ok) for ok in (True, False, True, True)] == [False, False, False, True]


def test_a_startup_probe_fails_although_it_never_passed():
    tested = verdict(passing=False, failure=2)
    assert not tested.add(False)
    assert not tested.failed
    assert not tested.add(False)  # it was not passing before either: no change
    assert tested.failed
