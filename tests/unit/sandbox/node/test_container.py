"""A container is started, probed, restarted and ended as its specification says."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.node.checks import Checker
from sandbox.node.container import Container, Surroundings
from sandbox.node.environment import EnvironmentFault
from sandbox.node.status import ContainerState, Running, Terminated, Waiting
from sandbox.node.usage import Usage

FOREVER = "trap 'exit 0' TERM; while :; do sleep 0.05; done"
MIB = 2**20
STUBBORN = "trap '' TERM; echo up; while :; do sleep 0.05; done"


class Bench:
    """Runs one container and keeps what it told: its states and its events."""

    def __init__(self, folder: Path, checker: Checker):
        self.folder = folder
        self.events: list[tuple[str, str]] = []
        self.faults: list[Exception] = []
        self._checker = checker
        self._changed = asyncio.Event()
        self._running: list[tuple[Container, asyncio.Task[None]]] = []

    def start(self, script: str = FOREVER, policy: str = "Always", **spec: Any) -> Container:
        spec = {
            "name": "app",
            "image": "sluice/demo-app:1",
            "command": ["sh", "-c", script],
            **spec,
        }
        around = Surroundings(
            address="127.0.0.1",
            folder=self.folder,
            grace=5,
            checker=self._checker,
            located=lambda spec: spec,
            environment=self._environment,
            changed=self._changed.set,
            event=lambda _kind, reason, message: self.events.append((reason, message)),
        )
        container = Container(spec, policy, ContainerState("app", spec["image"]), around)
        self._running.append((container, asyncio.create_task(container.run())))
        return container

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for it, looking after every change; the test's own timeout ends this."""
        while not true():
            self._changed.clear()
            await self._changed.wait()

    async def ended(self) -> None:
        await asyncio.gather(*(task for _, task in self._running))

    async def close(self) -> None:
        await asyncio.gather(*(container.stop(0) for container, _ in self._running))
        await self.ended()

    async def _environment(self, _spec: Mapping[str, Any]) -> dict[str, str]:
        if self.faults:
            raise self.faults[0]
        return {"PATH": os.defpath, "COLOR": "red"}


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    checker = Checker()
    bench = Bench(tmp_path, checker)
    yield bench
    await bench.close()
    await checker.close()


def command(script: str) -> dict[str, Any]:
    return {"exec": {"command": ["sh", "-c", script]}, "periodSeconds": 0.05, "timeoutSeconds": 30}


def pid(container: Container) -> int:
    return int(container.state.identity.removeprefix("process://"))


def waiting(container: Container) -> str:
    return container.state.state.reason if isinstance(container.state.state, Waiting) else ""


async def test_without_probes_a_running_container_is_ready(bench: Bench):
    container = bench.start()
    await bench.until(lambda: container.state.ready)
    assert isinstance(container.state.state, Running)
    assert container.state.started
    assert container.state.identity.startswith("process://")


async def test_a_container_runs_with_its_environment_and_logs_to_its_file(bench: Bench):
    bench.start("echo color is $COLOR", policy="Never")
    await bench.ended()
    assert (bench.folder / "app.log").read_text() == "color is red\n"


async def test_a_crash_restarts_at_once_then_shows_crash_loop_back_off(bench: Bench):
    container = bench.start("exit 3")
    await bench.until(lambda: waiting(container) == "CrashLoopBackOff")
    assert container.state.restarts == 1
    assert container.state.last
    assert container.state.last.exit_code == 3
    assert not container.state.ready
    assert ("BackOff", "back-off 10s restarting failed container app") in bench.events


async def test_above_its_memory_limit_it_is_killed_and_starts_again(bench: Bench):
    container = bench.start(resources={"limits": {"memory": "64Mi"}})
    await bench.until(lambda: container.state.ready)
    session = pid(container)
    container.measure({session: Usage(memory=64 * MIB)})
    assert container.usage == Usage(memory=64 * MIB)
    container.measure({session: Usage(memory=64 * MIB + 1)})
    await bench.until(lambda: container.state.restarts == 1)
    last = container.state.last
    assert last
    assert (last.reason, last.exit_code) == ("OOMKilled", 137)
    # What the lost processes used is not the new ones' use.
    assert container.usage is None


async def test_without_a_memory_limit_nothing_is_killed(bench: Bench):
    container = bench.start(resources={"requests": {"memory": "64Mi"}})
    await bench.until(lambda: container.state.ready)
    container.measure({pid(container): Usage(memory=1024 * MIB)})
    assert container.memory_limit == 0
    await container.stop(grace=30)
    await bench.ended()
    assert isinstance(container.state.state, Terminated)
    assert container.state.state.exit_code != -signal.SIGKILL


async def test_a_kill_by_others_is_no_lack_of_memory(bench: Bench):
    container = bench.start("kill -9 $$", policy="Never", resources={"limits": {"memory": "64Mi"}})
    await bench.ended()
    assert isinstance(container.state.state, Terminated)
    assert container.state.state.reason == "Error"


async def test_on_failure_runs_until_it_succeeds(bench: Bench):
    container = bench.start("test -e done || { touch done; exit 1; }", policy="OnFailure")
    await bench.ended()
    assert container.succeeded
    assert container.state.restarts == 1


async def test_never_runs_once(bench: Bench):
    container = bench.start("exit 1", policy="Never")
    await bench.ended()
    assert not container.succeeded
    assert container.state.restarts == 0


async def test_readiness_follows_its_probe_both_ways(bench: Bench):
    container = bench.start(readinessProbe={**command("test -e ready"), "failureThreshold": 1})
    await bench.until(lambda: container.state.started)
    assert not container.state.ready
    (bench.folder / "ready").touch()
    await bench.until(lambda: container.state.ready)
    (bench.folder / "ready").unlink()
    await bench.until(lambda: not container.state.ready)
    assert container.state.restarts == 0
    assert "Unhealthy" in [reason for reason, _ in bench.events]


async def test_no_other_probe_runs_before_the_startup_probe_passed(bench: Bench):
    container = bench.start(
        startupProbe={**command("test -e up"), "failureThreshold": 1000},
        livenessProbe={**command("touch probed; false"), "failureThreshold": 1},
    )
    await bench.until(lambda: isinstance(container.state.state, Running))
    await asyncio.sleep(0.2)
    assert not container.state.started
    assert not (bench.folder / "probed").exists()
    (bench.folder / "up").touch()
    await bench.until(lambda: container.state.started)
    await bench.until(lambda: container.state.restarts == 1)


async def test_a_failed_startup_probe_restarts_the_container(bench: Bench):
    container = bench.start(startupProbe={**command("false"), "failureThreshold": 2})
    await bench.until(lambda: container.state.restarts == 1)
    assert any("startup probe failed" in message for _, message in bench.events)


async def test_a_failed_liveness_probe_restarts_the_container(bench: Bench):
    container = bench.start(livenessProbe={**command("test ! -e broken"), "failureThreshold": 2})
    await bench.until(lambda: container.state.started)
    (bench.folder / "broken").touch()
    killed = ("Killing", "Container app: liveness probe failed; the container restarts")
    await bench.until(lambda: killed in bench.events)
    await bench.until(lambda: container.state.restarts > 0)


async def test_stop_runs_the_pre_stop_hook_before_sigterm(bench: Bench):
    script = "trap 'echo term >> order; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "echo hook >> order"]}}}
    container = bench.start(script, lifecycle=hook)
    await logged(bench, "up")
    await container.stop(grace=30)
    await bench.ended()
    assert (bench.folder / "order").read_text() == "hook\nterm\n"
    assert container.succeeded
    assert container.state.restarts == 0


async def test_stop_kills_after_its_grace(bench: Bench):
    container = bench.start(STUBBORN)
    await logged(bench, "up")
    await container.stop(grace=0.1)
    await bench.ended()
    assert isinstance(container.state.state, Terminated)
    assert container.state.state.exit_code == -9


async def test_a_hook_may_not_use_more_than_the_grace(bench: Bench):
    container = bench.start(lifecycle={"preStop": {"sleep": {"seconds": 600}}})
    await bench.until(lambda: container.state.ready)
    await container.stop(grace=0.1)
    await bench.ended()
    assert "FailedPreStopHook" in [reason for reason, _ in bench.events]


async def test_stop_ends_a_container_in_back_off(bench: Bench):
    container = bench.start("exit 3")
    await bench.until(lambda: waiting(container) == "CrashLoopBackOff")
    await container.stop(grace=30)
    await bench.ended()
    assert container.state.restarts == 1


async def test_an_unknown_image_waits_with_a_message_and_tells_one_event(bench: Bench):
    container = bench.start(image="nginx:1.27")
    await bench.until(lambda: waiting(container) == "ErrImagePull")
    assert isinstance(container.state.state, Waiting)
    assert '"nginx:1.27"' in container.state.state.message
    assert [reason for reason, _ in bench.events] == ["Failed"]


async def test_a_missing_config_map_waits_with_the_reason(bench: Bench):
    bench.faults.append(EnvironmentFault("variable X: configmaps settings does not exist"))
    container = bench.start()
    await bench.until(lambda: waiting(container) == "CreateContainerConfigError")
    assert isinstance(container.state.state, Waiting)
    assert "configmaps settings" in container.state.state.message


@pytest.mark.parametrize(
    "spec",
    [{"restartPolicy": "Always"}, {"livenessProbe": {"grpc": {"port": 1}}}],
)
async def test_what_the_node_cannot_do_is_said_instead_of_left_out(
    bench: Bench, spec: dict[str, Any]
):
    container = bench.start(**spec)
    await bench.until(lambda: waiting(container) == "CreateContainerConfigError")


async def test_a_command_that_cannot_be_run_is_a_start_error_that_names_it(bench: Bench):
    container = bench.start(policy="Never", command=["nosuchprogram"])
    await bench.ended()
    assert isinstance(container.state.state, Terminated)
    assert container.state.state.reason == "StartError"
    assert "nosuchprogram" in container.state.state.message


async def logged(bench: Bench, text: str) -> None:
    log = bench.folder / "app.log"
    while not (log.exists() and text in log.read_text()):  # noqa: ASYNC110  files tell nobody
        await asyncio.sleep(0.02)
