"""The local stack as the demo declares it: `pulumi up` with one more image tag each time."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from cli.demo.story import DEPENDENCY, IMAGE, SERVICES, Release
from sandbox.layout import ROOT
from sandbox.pulumi.cli import STACK, Cli


class Stack:
    """Runs the ordinary Pulumi CLI on a copy of `Pulumi.local.yaml`, which the demo edits as a
    team would edit the file itself: the tracked one stays as it is.
    """

    def __init__(self, cli: Cli, folder: Path, prometheus: str | None, show: Callable[[str], None]):
        self._cli = cli
        self._file = folder / f"Pulumi.{STACK}.yaml"
        self._show = show
        config = yaml.safe_load((ROOT / self._file.name).read_text())
        if prometheus:
            config["config"]["sluice:prometheusUrl"] = prometheus
        self._config = config
        self._write()
        cli.select(ROOT, STACK)

    def reset(self) -> None:
        """Take down what an earlier run declared, however it ended."""
        if self._run(["stack", "--show-urns"], quiet=True).count("urn:pulumi:") > 1:
            self._run(["destroy", "--yes", "--skip-preview", "--refresh"])

    def declare(self, release: Release, dependency: Mapping[str, str], tag: str) -> None:
        """`pulumi up` with this release of both services and this behaviour of their dependency."""
        services = self._config["config"].setdefault("sluice:services", {})
        for name in SERVICES:
            services[name] = services.get(name, {}) | _overlay(release.tag, release.env)
        services[DEPENDENCY] = services.get(DEPENDENCY, {}) | _overlay(tag, dependency)
        self._write()
        self._run(["up", "--yes", "--skip-preview"])

    def _write(self) -> None:
        self._file.write_text(yaml.safe_dump(self._config, sort_keys=False))

    def _run(self, arguments: list[str], quiet: bool = False) -> str:
        options = ["--stack", STACK]
        if arguments[0] != "stack":
            options += [
                "--config-file",
                str(self._file),
                "--suppress-permalink",
                "--suppress-progress",
            ]
        return self._cli.run([*arguments, *options], ROOT, None if quiet else self._show)


def _overlay(tag: str, behaviour: Mapping[str, str]) -> dict[str, Any]:
    """The version is in the app's answers, so that one can watch the weights with curl."""
    return {"image": f"{IMAGE}:{tag}", "env": {"VERSION": tag, **behaviour}}
