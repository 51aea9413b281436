"""Runs the real program with the real stack files against a monitor that records everything."""

import asyncio
import json
import runpy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime import mocks, rpc

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def current_loop() -> Iterator[None]:
    """Pulumi's runtime runs on the thread's current event loop; other tests leave none."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@dataclass(frozen=True)
class Registered:
    """One resource as the program registered it: what mocks show, and the options they hide."""

    urn: str
    type: str
    name: str
    parent: str
    inputs: dict[str, Any]
    dependencies: frozenset[str]
    ignored: tuple[str, ...]
    version: str


class Answers(mocks.Mocks):
    """Every resource gets what it asked for; in a preview no identifier is known yet."""

    def __init__(self, *, preview: bool) -> None:
        self.preview = preview

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        raise AssertionError(f"the program called {args.token}: a preview would need a cluster")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return ("" if self.preview else f"{args.name}-id", args.inputs)


class Recorder(mocks.MockMonitor):
    """Keeps each registration with its options."""

    def __init__(self, answers: Answers) -> None:
        super().__init__(answers)
        self.registered: list[Registered] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        response = super().RegisterResource(request)
        if request.type == "pulumi:pulumi:Stack":
            return response
        self.registered.append(
            Registered(
                urn=response.urn,
                type=request.type,
                name=request.name,
                parent=request.parent,
                inputs=rpc.deserialize_properties(request.object),
                dependencies=frozenset(request.dependencies),
                ignored=tuple(request.ignoreChanges),
                version=request.version,
            )
        )
        return response


def configuration(stack: str) -> dict[str, Any]:
    """What the CLI hands to the program: the project's defaults under the stack's values."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    defaults = {key: field["default"] for key, field in project.items() if "default" in field}
    return defaults | yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]


class Program:
    """The program and what its last run registered."""

    def __init__(self) -> None:
        self.registered: list[Registered] = []

    def run(self, stack: str, *, preview: bool = False, **settings: Any) -> list[Registered]:
        """Run `__main__.py` for a stack; keyword arguments set or (None) remove settings."""
        changes = {f"sluice:{key}": value for key, value in settings.items()}
        config = {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in (configuration(stack) | changes).items()
            if value is not None
        }
        answers = Answers(preview=preview)
        monitor = Recorder(answers)
        self.registered = monitor.registered
        mocks.set_mocks(answers, project="sluice", stack=stack, preview=preview, monitor=monitor)
        pulumi.runtime.set_all_config(config)

        @pulumi.runtime.test
        def program() -> None:
            runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

        program()
        return self.registered


@pytest.fixture
def program() -> Program:
    return Program()


@pytest.fixture
def run(program: Program) -> Callable[..., list[Registered]]:
    return program.run
