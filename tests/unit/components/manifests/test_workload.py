"""The pod template and the version label that tells releases apart."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.manifests import pods, workload
from components.spec.service import ServiceSpec

MakeSpec = Callable[..., ServiceSpec]


def container(spec: ServiceSpec) -> dict[str, Any]:
    return workload.pod_template(spec)["spec"]["containers"][0]


def test_the_version_is_the_tag_and_a_hash(make_spec: MakeSpec) -> None:
    assert re.fullmatch(r"1\.8\.0-[0-9a-f]{8}", workload.version(make_spec()))


@pytest.mark.parametrize(
    "change",
    [
        {"image": "shop/checkout:1.8.1"},
        {"env": {"ERROR_RATE": "0.05"}},
        {"port": 9090},
        {"resources": {"memory": "256Mi"}},
        {"probes": {"readiness": "/ready"}},
    ],
)
def test_whatever_changes_the_pods_changes_the_version(
    make_spec: MakeSpec, change: dict[str, Any]
) -> None:
    """The same tag with other settings is another release, and must be judged as one."""
    assert workload.version(make_spec(**change)) != workload.version(make_spec())


@pytest.mark.parametrize(
    "change",
    [
        {"stages": [{"weight": 50, "time": "1m"}]},
        {"slo": {"availability": 99.9}},
        {"replicas": {"min": 4}},
        {"controller": "flagger"},
    ],
)
def test_what_leaves_the_pods_alone_leaves_the_version_alone(
    make_spec: MakeSpec, change: dict[str, Any]
) -> None:
    """Changing how a release is judged must not start one."""
    assert workload.version(make_spec(**change)) == workload.version(make_spec())


def test_the_order_of_the_environment_does_not_matter(make_spec: MakeSpec) -> None:
    forth, back = make_spec(env={"A": "1", "B": "2"}), make_spec(env={"B": "2", "A": "1"})
    assert workload.pod_template(forth) == workload.pod_template(back)


@given(tag=st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True))
def test_every_tag_makes_a_valid_label(tag: str) -> None:
    """A label value holds 63 characters and begins and ends with a letter or a digit."""
    label = workload.version_label(tag, "0a1b2c3d")
    assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", label)


def test_pods_carry_the_version_and_both_names(make_spec: MakeSpec) -> None:
    spec = make_spec()
    labels = workload.pod_template(spec)["metadata"]["labels"]
    assert labels["app"] == labels["app.kubernetes.io/name"] == "checkout"
    assert labels["version"] == workload.version(spec)


def test_prometheus_finds_the_pods_own_metrics_on_its_port(make_spec: MakeSpec) -> None:
    annotations = workload.pod_template(make_spec(port=9000))["metadata"]["annotations"]
    assert annotations == {"prometheus.io/scrape": "true", "prometheus.io/port": "9000"}


def test_a_pod_has_no_privileges(make_spec: MakeSpec) -> None:
    """The rules of the `restricted` pod security standard, a read-only disk and no token."""
    spec = make_spec()
    pod = workload.pod_template(spec)["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == "checkout"
    security = container(spec)["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is True
    assert security["capabilities"] == {"drop": ["ALL"]}


def test_all_three_probes_ask_over_http(make_spec: MakeSpec) -> None:
    probed = container(make_spec(probes={"liveness": "/alive"}))
    paths = {kind: probed[kind]["httpGet"]["path"] for kind in probed if kind.endswith("Probe")}
    assert paths == {
        "startupProbe": "/readyz",
        "readinessProbe": "/readyz",
        "livenessProbe": "/alive",
    }
    assert {probed[kind]["httpGet"]["port"] for kind in paths} == {"http"}


def test_a_pod_drains_within_its_grace(make_spec: MakeSpec) -> None:
    """Without the pause, proxies send requests to a process that is already gone."""
    drain = container(make_spec())["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert 0 < drain < workload.pod_template(make_spec())["spec"]["terminationGracePeriodSeconds"]
    assert drain == pods.DRAIN_SECONDS


def test_memory_is_limited_and_cpu_is_not(make_spec: MakeSpec) -> None:
    needs = container(make_spec(resources={"cpu": "250m", "memory": "256Mi"}))["resources"]
    assert needs == {
        "requests": {"cpu": "250m", "memory": "256Mi"},
        "limits": {"memory": "256Mi"},
    }
