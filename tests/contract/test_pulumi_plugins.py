"""The stand-ins under the real Pulumi CLI and engine, against a real API server.

The API server needs the controller manager's controllers: deletions wait for them.
"""

import asyncio
import base64
import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kr8s
import pytest
import yaml

from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.pulumi import plugins
from sandbox.pulumi.cli import Cli

STACK = "test"

HEAD = """
import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.apiextensions import CustomResource

config = pulumi.Config()
unique = config.require("unique")
"""

ROUTE = """
definition = k8s.apiextensions.v1.CustomResourceDefinition("definition",
    metadata={"name": f"routes.{unique}.example.com"},
    spec={"group": f"{unique}.example.com", "scope": "Namespaced",
          "names": {"kind": "Route", "plural": "routes", "singular": "route"},
          "versions": [{"name": "v1", "served": True, "storage": True, "schema": {
              "openAPIV3Schema": {"type": "object", "properties": {"spec": {
                  "type": "object", "properties": {
                      "hosts": {"type": "array", "items": {"type": "string"}},
                      "http": {"type": "array", "items": {
                          "type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                  }}}}}}]})
CustomResource("route", api_version=f"{unique}.example.com/v1", kind="Route",
    metadata={"name": "web", "namespace": "default"},
    spec={"hosts": ["web", *(config.get_object("hosts") or [])], "http": [{"weight": 100}]},
    opts=pulumi.ResourceOptions(depends_on=[definition], ignore_changes=["spec.http"]))
"""

SHOP = """
namespace = k8s.core.v1.Namespace("shop", metadata={"name": unique})
place = {"namespace": namespace.metadata.name}
settings = k8s.core.v1.ConfigMap("settings", metadata=place,
    data={"level": config.get("level") or "low"})
k8s.core.v1.Secret("token", metadata=place, string_data={"password": "hunter2-hunter2"})
service = k8s.core.v1.Service("web",
    metadata={**place, "name": "web", "annotations": {"pulumi.com/skipAwait": "true"}},
    spec={"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]})
k8s.apps.v1.Deployment("web",
    metadata={**place, "name": "web", "annotations": {"pulumi.com/skipAwait": "true"}},
    spec={"replicas": config.get_int("replicas") or 1,
          "selector": {"matchLabels": {"app": "web"}},
          "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
              {"name": "app", "image": "web:1", "env": [
                  {"name": "SETTINGS", "value": settings.metadata.name}]}]}}})
pulumi.export("address", service.spec.cluster_ip)
"""

SLOW = """
timeout = config.get("timeout") or "10m"
k8s.apps.v1.Deployment("slow", metadata={"name": unique, "namespace": "default"},
    spec={"selector": {"matchLabels": {"app": unique}}, "template": {
        "metadata": {"labels": {"app": unique}},
        "spec": {"containers": [{"name": "app", "image": "web:1"}]}}},
    opts=pulumi.ResourceOptions(
        custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout)))
"""


class Project:
    """An ordinary Pulumi project; `unique` keeps its objects apart from every other test's."""

    def __init__(self, folder: Path, kubeconfig: Path):
        plugins.install(folder / "home")
        self.kubeconfig = kubeconfig
        self.unique = f"pulumi-{uuid.uuid4().hex[:8]}"
        self.cli = Cli(Layout().binaries / "pulumi", folder / "home", kubeconfig, stand_ins=True)
        self.folder = folder / "project"
        self.folder.mkdir()
        options = json.dumps({"virtualenv": sys.prefix})
        (self.folder / "Pulumi.yaml").write_text(
            f"name: contract\nruntime: {{name: python, options: {options}}}\n"
        )
        self.cli.select(self.folder, STACK)
        self.configure(unique=self.unique)

    def write(self, *parts: str) -> None:
        (self.folder / "__main__.py").write_text("\n".join([HEAD, *parts]))

    def configure(self, **values: str) -> None:
        """As `pulumi config set`, without the time a CLI takes."""
        path = self.folder / f"Pulumi.{STACK}.yaml"
        content = yaml.safe_load(path.read_text())
        config = content.setdefault("config", {})
        config |= {f"contract:{key}": value for key, value in values.items()}
        path.write_text(yaml.safe_dump(content))

    def run(self, *arguments: str) -> str:
        return self.cli.run([*arguments, "--suppress-progress"], self.folder, show=None)

    def up(self) -> str:
        return self.run("up", "--yes", "--skip-preview")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The CLI as a process, for what happens while it runs."""
        return subprocess.Popen(
            [str(self.cli.executable), *arguments, "--non-interactive", "--suppress-progress"],
            cwd=self.folder,
            env=self.cli.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def state(self) -> str:
        """The stack's state as written; empty before the first update."""
        path = self.cli.state / ".pulumi/stacks/contract" / f"{STACK}.json"
        return path.read_text() if path.exists() else ""

    def ids(self) -> set[str]:
        """The objects that the state knows."""
        latest = json.loads(self.state() or "{}").get("checkpoint", {}).get("latest") or {}
        resources = [item for item in latest.get("resources", []) if item["custom"]]
        return {item["id"] for item in resources if ":providers:" not in item["type"]}

    def call(self, method: str, url: str, version: str = "v1", **request: Any) -> dict[str, Any]:
        """Ask the API server, as another controller would."""

        async def ask() -> dict[str, Any]:
            api = await kr8s.asyncio.api(kubeconfig=str(self.kubeconfig))
            async with api.call_api(method, version=version, url=url, **request) as response:
                return response.json()

        return asyncio.run(ask())

    def exists(self, url: str, version: str = "v1", **request: Any) -> bool:
        try:
            self.call("GET", url, version, **request)
        except kr8s.ServerError as error:
            assert error.response is not None
            assert error.response.status_code == 404
            return False
        return True

    def patch(self, url: str, version: str, manager: str, change: dict[str, Any]) -> None:
        self.call(
            "PATCH",
            url,
            version,
            namespace="default",
            content=json.dumps(change),
            headers={"Content-Type": "application/merge-patch+json"},
            params={"fieldManager": manager},
        )


@pytest.fixture
def project(tmp_path: Path, api_server: Path) -> Iterator[Project]:
    made = Project(tmp_path, api_server)
    yield made
    if made.ids():
        made.run("destroy", "--yes", "--skip-preview")


def test_the_life_of_a_stack(project):
    """Preview, up, nothing to do, a change shown and made, refresh, destroy; and whatever the
    CLI shows or keeps, no secret is in it.
    """
    project.write(SHOP)
    shown = [project.run("preview", "--diff")]
    assert "+ 6 to create" in shown[0]
    assert not project.exists(f"namespaces/{project.unique}")

    shown.append(project.up())
    assert "+ 6 created" in shown[1]
    assert f"{project.unique}/web" in project.ids()
    (settings,) = _config_maps(project)
    assert "6 unchanged" in project.run("up", "--yes", "--skip-preview", "--expect-no-changes")

    project.configure(replicas="2", level="high")
    shown.append(project.run("preview", "--diff"))
    assert "~ replicas: 1 => 2" in shown[2]
    assert '~ level: "low" => "high"' in shown[2]
    shown.append(project.up())
    deployment = project.call("GET", "deployments/web", "apps/v1", namespace=project.unique)
    assert deployment["spec"]["replicas"] == 2
    # Replaced, not changed, as by the real provider: running pods keep the one they read.
    assert "+-1 replaced" in shown[3]
    assert settings not in _config_maps(project)

    assert "6 unchanged" in project.run("refresh", "--yes", "--skip-preview")
    for text in [*shown, project.state()]:
        assert "hunter2-hunter2" not in text
        assert base64.b64encode(b"hunter2-hunter2").decode() not in text

    assert "- 6 deleted" in project.run("destroy", "--yes", "--skip-preview")
    assert not project.exists(f"namespaces/{project.unique}")


def test_a_stack_and_another_controller_share_an_object(project):
    """A definition and its object come in one update; what a controller has changed of an
    ignored field stays; any other field both want is a conflict that names it.
    """
    group = f"{project.unique}.example.com/v1"
    project.write(ROUTE)
    assert "+ 3 created" in project.up()

    project.patch("routes/web", group, "rollouts-controller", {"spec": {"http": [{"weight": 90}]}})
    project.configure(hosts='["shop"]')
    shown = project.run("preview", "--diff")
    assert "shop" in shown
    assert "http" not in shown
    project.up()
    # The refresh takes the controller's value into the state; the declared one is stale now.
    project.run("refresh", "--yes", "--skip-preview")
    project.configure(hosts='["shop", "mall"]')
    project.up()
    route = project.call("GET", "routes/web", group, namespace="default")
    assert route["spec"] == {"hosts": ["web", "shop", "mall"], "http": [{"weight": 90}]}

    project.patch("routes/web", group, "somebody-else", {"spec": {"hosts": ["theirs"]}})
    project.configure(hosts="[]")
    with pytest.raises(SandboxError) as failure:
        project.up()
    assert "Route default/web" in str(failure.value)
    assert '.spec.hosts: conflict with "somebody-else"' in str(failure.value)

    forced = '"annotations": {"pulumi.com/patchForce": "true"}, "name": "web"'
    project.write(ROUTE.replace('"name": "web"', forced))
    project.up()
    route = project.call("GET", "routes/web", group, namespace="default")
    assert route["spec"]["hosts"] == ["web"]


def test_an_update_that_is_killed_interrupted_or_out_of_time_is_taken_up_again(project):
    """No node runs the pod, so the update waits. kill -9 leaves a lock, an object the state
    does not know and plugins without an engine; Ctrl-C ends the wait, not the knowledge of
    the object; neither leaves a plugin behind.
    """
    project.write(SLOW)
    deployment = f"default/{project.unique}"
    with project.start("up", "--yes", "--skip-preview") as process:
        _until(lambda: _exists(project))
        process.kill()
    _until(lambda: not _processes_of(project))

    project.configure(timeout="2s")
    with pytest.raises(SandboxError, match=r"is not ready: after 2 s 0 of 1 replicas"):
        project.up()
    assert project.ids() == {deployment}

    project.configure(timeout="10m")
    with project.start("up", "--yes", "--skip-preview") as process:
        assert process.stdout is not None
        assert any("waiting:" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate()
    assert process.returncode != 0
    assert "is not ready: cancelled" in output
    assert project.ids() == {deployment}
    assert not _processes_of(project)

    project.run("destroy", "--yes", "--skip-preview")
    assert not _exists(project)


@pytest.mark.parametrize(
    ("program", "said", "unsaid"),
    [
        (
            "def broken():\n    return 1 / 0\nbroken()",
            "ZeroDivisionError: division by zero",
            "runpy",
        ),
        (
            "raise pulumi.RunError('services/checkout.py: slo: missing')",
            "error: services/checkout.py: slo: missing",
            "Traceback",
        ),
        (
            "k8s.core.v1.Service('bad', metadata={'namespace': 'default'},"
            " spec={'ports': [{'port': 0}]})",
            "spec.ports[0].port: Invalid value: 0",
            "Traceback",
        ),
    ],
    ids=["exception", "run error", "invalid object"],
)
def test_an_error_in_the_program_is_shown_to_a_person(project, program, said, unsaid):
    """Already in the preview, once, and with a traceback only where it helps."""
    project.write(program)
    with pytest.raises(SandboxError) as failure:
        project.run("preview")
    assert str(failure.value).count(said) == 1
    assert unsaid not in str(failure.value)


def _config_maps(project: Project) -> set[str]:
    """The program's; a cluster and its mesh put their own into every namespace."""
    found = project.call("GET", "configmaps", namespace=project.unique)["items"]
    names = {item["metadata"]["name"] for item in found}
    return {name for name in names if name.startswith("settings-")}


def _exists(project: Project) -> bool:
    return project.exists(f"deployments/{project.unique}", "apps/v1", namespace="default")


def _until(done: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def _processes_of(project: Project) -> list[str]:
    """The processes that run in the project's folder: its CLI and the plugins."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").readlink() == project.folder:
                    found.append(entry.name)
            except OSError:
                continue  # It has ended, or is somebody else's.
    return found
