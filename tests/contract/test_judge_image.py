"""The judge's image, built as plugin/Containerfile says and run as its pod is declared.

What it needs of the machine, and when it is skipped: docs/judge.md.
"""

import ast
import json
import os
import re
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from components.manifests import platform, pods
from tests.contract.support import container
from tests.contract.support.container import Container
from tests.contract.support.history import STEP
from tests.contract.support.prometheus import free_port, prometheus
from tests.contract.support.remotewrite import write
from tests.contract.support.series import istio

ROOT = Path(__file__).parents[2]
BY_NAME = {"httptools", "uvloop"}
"""What uvicorn imports for the judge, which only names them (plugin/__main__.py)."""


def locked(file: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", file.read_text(), re.MULTILINE))


def imported() -> set[str]:
    """The distributions that the judge's modules import."""
    modules: set[str] = set()
    for file in (ROOT / "plugin").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules.add(node.module.split(".")[0])
    others = modules - sys.stdlib_module_names - {"plugin"}
    return {name.replace("_", "-") for name in others}


def test_the_image_holds_what_the_judge_imports_in_the_tested_versions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named = set(project["dependency-groups"]["judge"])
    # pydantic-core is pydantic's own, and of one version with it.
    assert named == imported() - {"pydantic-core"} | BY_NAME
    held, tested = locked(ROOT / "plugin/requirements.lock"), locked(ROOT / "requirements.lock")
    assert named <= set(held)
    assert held == {name: tested[name] for name in held}


@pytest.fixture(scope="module")
def image() -> None:
    """Built once. Where it cannot be, its tests are skipped, and in CI they fail."""
    reason = container.missing()
    if reason and os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    if reason:
        pytest.skip(reason)
    container.build()


def as_declared(prometheus: str) -> list[str]:
    """Podman's options for what the platform declares of the judge's pod.

    The pod's writable /tmp is left out: the judge does without.
    """
    manifests = platform.judge(container.IMAGE, prometheus, STEP)
    (deployment,) = [each.body for each in manifests if each.kind == "Deployment"]
    (declared,) = deployment["spec"]["template"]["spec"]["containers"]
    assert declared["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    options = ["--security-opt=no-new-privileges", "--read-only", "--read-only-tmpfs=false"]
    memory = declared["resources"]["limits"]["memory"].replace("Mi", "m")
    options += ["--cap-drop=all", f"--memory={memory}", f"--memory-swap={memory}"]
    return options + [f"--env={each['name']}={each['value']}" for each in declared["env"]]


@contextmanager
def judge(prometheus: str, **environment: str) -> Iterator[tuple[Container, str]]:
    """The image's container, once it is ready, and its URL."""
    port = free_port()
    more = {"HOST": "127.0.0.1", "PORT": str(port), **environment}
    options = [f"--env={name}={value}" for name, value in more.items()]
    with container.running([*as_declared(prometheus), *options]) as running:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while not ready(url):
            assert time.monotonic() < deadline, running.logs()
            time.sleep(0.1)
        yield running, url


def ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def ask(url: str) -> dict[str, Any]:
    question = {
        "service": "checkout",
        "namespace": "shop",
        "slo": {"availability": 99},
        "arms": {
            "canary": {"workload": "checkout", "version": "2"},
            "stable": {"workload": "checkout", "not_version": "2"},
        },
    }
    answer = httpx.post(f"{url}/v1/verdict", json=question, timeout=30, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def alone(image: None) -> Iterator[tuple[Container, str]]:
    """A judge whose Prometheus is down."""
    with judge("http://127.0.0.1:1") as running:
        yield running


def test_the_judge_answers_without_privileges_and_with_nothing_to_write_to(
    alone: tuple[Container, str],
) -> None:
    running, url = alone
    answer = ask(url)
    assert (answer["verdict"], answer["reason"]) == ("undecided", "query_error")
    process = Path("/proc", str(running.pid))
    status = dict(re.findall(r"^(\w+):\t(.*)$", (process / "status").read_text(), re.MULTILINE))
    assert set(status["Uid"].split()) == set(status["Gid"].split()) == {"65532"}
    assert {int(status[f"Cap{kind}"], 16) for kind in ("Prm", "Eff", "Bnd", "Amb")} == {0}
    assert status["NoNewPrivs"] == "1"
    mounts = [line.split() for line in (process / "mounts").read_text().splitlines()]
    assert {each[3].split(",")[0] for each in mounts if each[1] == "/"} == {"ro"}
    # The only places left that this user could write to.
    assert not [*(process / "root/dev/shm").iterdir(), *(process / "root/dev/mqueue").iterdir()]


INSIDE = """
import importlib.util, json, pathlib, shutil, botocore.session
pip = importlib.util.find_spec("pip") is not None
tools = [name for name in ("pip", "cc", "gcc", "make", "git", "curl", "wget") if shutil.which(name)]
modules = [*pathlib.Path("/judge").rglob("*.py")]
def compiled(module):
    file = pathlib.Path(importlib.util.cache_from_source(str(module)))
    return file.exists() and file.read_bytes()[4] == 1  # PEP 552: by hash, and unchecked
stale = [str(module) for module in modules if not compiled(module)]
# Credentials by a service account's role come from this service.
botocore.session.Session().create_client("sts", region_name="eu-west-1")
print(json.dumps({"pip": pip, "tools": tools, "modules": len(modules), "stale": stale}))
"""


def test_nothing_is_compiled_or_installed_where_the_judge_runs(
    alone: tuple[Container, str],
) -> None:
    running, _ = alone
    found = json.loads(container.podman("exec", running.name, "python", "-P", "-c", INSIDE))
    assert found.pop("modules") > 500
    assert found == {"pip": False, "tools": [], "stale": []}


def test_the_image_stays_small(image: None) -> None:
    """What we add to the base, in bytes. Half of it is numpy with its linear algebra."""
    whole, base = (
        container.inspect("image", name)["Size"] for name in (container.IMAGE, container.BASE)
    )
    assert whole - base < 130e6


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[str]:
    """A Prometheus whose newest sample is of now; its URL."""
    with prometheus(tmp_path) as url:
        yield url


def test_a_bad_release_fails_by_a_real_prometheus(image: None, counting: str) -> None:
    """With signed requests, so that all that the lock brings is used."""
    now = time.time()
    times = [now - STEP * back for back in reversed(range(80))]
    for version, code, rate in (("1", "200", 900), ("2", "200", 50), ("2", "503", 50)):
        metric = {"__name__": "istio_requests_total"}
        labels = metric | istio("shop", version, response_code=code)
        write(counting, [(labels, [(at, float(rate * i)) for i, at in enumerate(times)])])
    aws = {
        "SLUICE_PROMETHEUS_AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    with judge(counting, **aws) as (_, url):
        answer = ask(url)
    assert (answer["verdict"], answer["reason"]) == ("fail", "slo_burn"), answer


def test_the_judge_ends_by_itself_when_told_to(alone: tuple[Container, str]) -> None:
    running, _ = alone
    assert running.stop(pods.GRACE_SECONDS) == 0, running.logs()
