"""Which Pulumi runs, and that the stand-ins start as the CLI starts plugins."""

import signal
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from sandbox.pulumi import plugins


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path):
    """The environment of a machine with nothing installed, and where a build would be."""
    environment = {"PATH": str(tmp_path / "path"), "PULUMI_HOME": str(tmp_path / "home")}
    return environment, tmp_path / "built" / "pulumi"


def cached_provider(environment, number=None) -> Path:
    number = number or version("pulumi-kubernetes")
    folder = Path(environment["PULUMI_HOME"]) / f"plugins/resource-kubernetes-v{number}"
    return folder / plugins.PROVIDER


def test_without_pulumi_on_path_there_is_none(machine):
    assert plugins.own_pulumi(*machine) is None


def test_a_pulumi_with_its_plugins_is_preferred(machine):
    """Installed the ordinary way: the host beside it, the provider in its cache."""
    environment, built = machine
    found = executable(Path(environment["PATH"]) / "pulumi")
    executable(Path(environment["PATH"]) / plugins.LANGUAGE)
    executable(cached_provider(environment))
    assert plugins.own_pulumi(environment, built) == found


def test_a_linked_pulumi_has_its_host_beside_the_file_it_links_to(machine, tmp_path):
    environment, built = machine
    real = executable(tmp_path / "opt/pulumi")
    executable(tmp_path / "opt" / plugins.LANGUAGE)
    link = Path(environment["PATH"]) / "pulumi"
    link.parent.mkdir()
    link.symlink_to(real)
    executable(cached_provider(environment))
    assert plugins.own_pulumi(environment, built) == link


def test_a_pulumi_without_the_right_provider_is_not_used(machine):
    """It would look for the missing version on the network."""
    environment, built = machine
    executable(Path(environment["PATH"]) / "pulumi")
    executable(Path(environment["PATH"]) / plugins.LANGUAGE)
    assert plugins.own_pulumi(environment, built) is None
    executable(cached_provider(environment, "1.0.0"))
    assert plugins.own_pulumi(environment, built) is None


def test_the_built_pulumi_on_path_is_not_the_users_own(machine):
    """After putting the sandbox's environment into a shell, the choice stays the same."""
    environment, built = machine
    executable(built)
    plugins.install(Path(environment["PULUMI_HOME"]))
    assert plugins.own_pulumi({**environment, "PATH": str(built.parent)}, built) is None


def test_installing_again_leaves_the_scripts_alone(tmp_path):
    plugins.install(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("pulumi-*")}
    plugins.install(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("pulumi-*")} == before


@pytest.mark.parametrize("name", [plugins.LANGUAGE, plugins.PROVIDER])
def test_a_stand_in_says_its_port_and_ends_quietly(tmp_path, name):
    """The CLI reads the port from the first line; a plugin that ends noisily is shown as a
    crash.
    """
    plugins.install(tmp_path)
    (script,) = tmp_path.rglob(name)
    with subprocess.Popen(
        [script, "127.0.0.1:1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stderr
        assert int(process.stdout.readline()) > 0
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()
    assert (output, errors, process.returncode) == ("", "", 0)
