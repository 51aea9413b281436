"""What plugin/Containerfile rests on. The image is not built: that needs a container runtime.

The lock installs into an empty environment, and the judge runs there alone.
"""

import ast
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
UV = ROOT / ".sluice" / "uv" / "bin" / "uv"
CACHE = ROOT / ".sluice" / "cache" / "uv"
DISTRIBUTIONS = {"yaml": "pyyaml"}
"""Where a module's name is not its distribution's."""
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
    return {DISTRIBUTIONS.get(name, name.replace("_", "-")) for name in others}


def test_the_image_holds_what_the_judge_imports_in_the_tested_versions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named = set(project["dependency-groups"]["judge"])
    # pydantic-core is pydantic's own, and of one version with it.
    assert named == imported() - {"pydantic-core"} | BY_NAME
    held, tested = locked(ROOT / "plugin/requirements.lock"), locked(ROOT / "requirements.lock")
    assert named <= set(held)
    assert held == {name: tested[name] for name in held}


def test_the_judge_is_started_without_privileges() -> None:
    lines = (ROOT / "plugin/Containerfile").read_text().splitlines()
    last = lines[max(at for at, line in enumerate(lines) if line.startswith("FROM")) :]
    (user,) = [line.split()[1] for line in last if line.startswith("USER")]
    assert user != "0:0"
    assert user.replace(":", "").isdigit(), "runAsNonRoot needs a number"
    assert any("--require-hashes" in line for line in lines)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's /judge, made as the Containerfile makes it; only the locked wheels go in."""
    folder = tmp_path_factory.mktemp("image")
    options = ["--quiet", "--offline", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    where = ["--python", sys.executable, "--target", str(folder / "judge"), "--link-mode=copy"]
    subprocess.run(
        [UV, "pip", "install", *options, *where, "-r", str(ROOT / "plugin/requirements.lock")],
        check=True,
        env=os.environ | {"UV_CACHE_DIR": str(CACHE)},
    )
    ignored = shutil.ignore_patterns("__pycache__", "Containerfile", "requirements.lock")
    shutil.copytree(ROOT / "plugin", folder / "judge" / "plugin", ignore=ignored)
    return folder / "judge"


@pytest.fixture
def judge(image: Path) -> Iterator[str]:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    environment = {
        "PYTHONPATH": str(image),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "SLUICE_PROMETHEUS_URL": "http://127.0.0.1:1",
        "SLUICE_PROMETHEUS_AWS_REGION": "eu-west-1",
    }
    # Without the site directory there is nothing but the standard library and the image.
    command = [sys.executable, "-S", "-P", "-m", "plugin"]
    process = subprocess.Popen(command, env=environment, cwd=image, stdout=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def test_the_judge_answers_from_the_image_alone_and_writes_nothing(image: Path, judge: str) -> None:
    before = sorted(image.rglob("*"))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            assert httpx.get(f"{judge}/readyz", trust_env=False).status_code == 200
            break
        except httpx.TransportError:
            time.sleep(0.1)
    question = {
        "service": "checkout",
        "namespace": "shop",
        "slo": {"availability": 99},
        "arms": {
            "canary": {"workload": "checkout", "version": "2"},
            "stable": {"workload": "checkout", "not_version": "2"},
        },
    }
    answer = httpx.post(f"{judge}/v1/verdict", json=question, timeout=30, trust_env=False)
    assert answer.json()["verdict"] == "undecided"
    assert sorted(image.rglob("*")) == before
