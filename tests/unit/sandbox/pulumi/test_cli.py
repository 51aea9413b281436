"""The CLI's environment, its errors, and the locks of killed CLIs."""

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.pulumi.cli import Cli, find_cli


@pytest.fixture
def fake(tmp_path):
    """A CLI that does what the test writes into its script."""

    def make(script: str, stand_ins: bool = True) -> Cli:
        pulumi = tmp_path / "bin/pulumi"
        pulumi.parent.mkdir(exist_ok=True)
        pulumi.write_text(f"#!/bin/sh\n{script}\n")
        pulumi.chmod(0o755)
        return Cli(pulumi, tmp_path / "home", tmp_path / "kubeconfig", stand_ins)

    return make


def test_everything_the_cli_writes_stays_in_the_clone(fake, tmp_path):
    environment = fake("").environment()
    assert environment["PULUMI_HOME"] == str(tmp_path / "home")
    assert environment["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/home/state"
    assert environment["KUBECONFIG"] == str(tmp_path / "kubeconfig")
    assert environment["PATH"].startswith(f"{tmp_path}/bin{os.pathsep}")


def test_the_stand_ins_need_no_network(fake, monkeypatch):
    """Loopback through a proxy would fail, and so would looking for updates and plugins."""
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    environment = fake("").environment()
    assert not {"https_proxy", "HTTP_PROXY"} & environment.keys()
    assert environment["PULUMI_SKIP_UPDATE_CHECK"] == "true"
    assert environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"


def test_the_users_own_pulumi_keeps_its_home_and_proxy(fake, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("PULUMI_HOME", "/somewhere")
    environment = fake("", stand_ins=False).environment()
    assert environment["PULUMI_HOME"] == "/somewhere"
    assert environment["https_proxy"] == "http://proxy.example:3128"


def test_output_is_shown_as_it_comes_and_returned(fake, tmp_path):
    shown = []
    output = fake('echo "one $1"; echo two >&2').run(["up"], tmp_path, shown.append)
    assert shown == ["one up", "two"]
    assert output == "one up\ntwo"


def test_a_failure_names_the_command_and_shows_the_diagnostics(fake, tmp_path):
    cli = fake('echo "Updating"; echo "Diagnostics:"; echo "  error: no SLO"; exit 255')
    with pytest.raises(SandboxError) as failure:
        cli.run(["up", "--yes"], tmp_path, show=None)
    assert "`pulumi up --yes`" in str(failure.value)
    assert "exit code 255" in str(failure.value)
    assert str(failure.value).endswith("Diagnostics:\n  error: no SLO")


def lock(cli: Cli, pid: int, host: str) -> Path:
    path = cli.state / ".pulumi/locks/organization/proj/dev/1.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"pid": pid, "hostname": host}))
    return path


def test_the_lock_of_a_killed_cli_is_removed(fake, tmp_path):
    """`make demo` after kill -9 must not ask for `pulumi cancel`."""
    cli = fake("")
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    path = lock(cli, ended.pid, socket.gethostname())
    cli.run(["up"], tmp_path, show=None)
    assert not path.exists()


@pytest.mark.parametrize(
    ("pid", "host"),
    [(os.getpid(), socket.gethostname()), (1, "another-machine")],
    ids=["here", "elsewhere"],
)
def test_the_lock_of_a_running_cli_stays(fake, tmp_path, pid, host):
    cli = fake("")
    path = lock(cli, pid, host)
    cli.run(["up"], tmp_path, show=None)
    assert path.exists()


def test_without_any_pulumi_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="run `make build`"):
        find_cli(tmp_path / "bin", tmp_path / "home", tmp_path / "kubeconfig")


def test_the_built_pulumi_gets_the_stand_ins(fake, tmp_path, monkeypatch):
    built = fake("").executable
    monkeypatch.setenv("PATH", str(tmp_path))
    cli = find_cli(built.parent, tmp_path / "home", tmp_path / "kubeconfig")
    assert cli.executable == built
    assert cli.stand_ins
    assert len(list((tmp_path / "home/plugins").rglob("pulumi-*"))) == 2
