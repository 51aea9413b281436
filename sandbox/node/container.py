"""Runs one container of a pod: start, probes, restarts with back-off, termination."""

import asyncio
import itertools
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.node import probes
from sandbox.node.backoff import FIRST_SECONDS, BackOff, restarts
from sandbox.node.checks import Checker, Result
from sandbox.node.child import Child
from sandbox.node.environment import EnvironmentFault
from sandbox.node.images import UnknownImageError, command_line
from sandbox.node.quantity import whole
from sandbox.node.status import KILLED_EXIT_CODE, ContainerState, Running, Terminated, Waiting
from sandbox.node.usage import Usage


@dataclass(frozen=True)
class Surroundings:
    """What a container needs of its pod: where it answers and writes, and whom it tells."""

    address: str
    folder: Path
    grace: float
    checker: Checker
    located: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    environment: Callable[[Mapping[str, Any]], Awaitable[dict[str, str]]]
    changed: Callable[[], None]
    event: Callable[[str, str, str], None]


@dataclass(frozen=True)
class _Plan:
    """One run of the container, resolved from its specification."""

    argv: list[str]
    env: dict[str, str]
    startup: probes.Probe | None
    readiness: probes.Probe | None
    liveness: probes.Probe | None
    post_start: probes.Action | None
    pre_stop: probes.Action | None


class Container:
    """`run()` until its restart policy says it is done; `stop()` from another task ends it.

    `usage` is what its processes used when last measured, None while none runs;
    `memory_limit` is in bytes, and 0 without a limit.
    """

    def __init__(
        self,
        spec: Mapping[str, Any],
        policy: str,
        state: ContainerState,
        surroundings: Surroundings,
    ):
        self.state = state
        self.usage: Usage | None = None
        limits = spec.get("resources", {}).get("limits", {})
        self.memory_limit = whole(limits.get("memory", "0"))
        self._spec = spec
        self._policy = policy
        self._around = surroundings
        self._stopping = asyncio.Event()
        self._running: tuple[Child, _Plan] | None = None
        self._out_of_memory = False

    @property
    def succeeded(self) -> bool:
        return isinstance(self.state.state, Terminated) and self.state.state.exit_code == 0

    async def run(self) -> None:
        back_off = BackOff()
        ended = self.state.state if isinstance(self.state.state, Terminated) else None
        while not self._stopping.is_set():
            if ended:
                if not restarts(self._policy, ended.exit_code):
                    return
                self._set(last=ended)
                await self._hold(back_off.after(ended.run_seconds))
            plan = await self._prepare()
            if plan is None:
                return
            if ended:
                self.state = replace(self.state, restarts=self.state.restarts + 1)
            ended = await self._run_once(plan)

    async def stop(self, grace: float) -> None:
        """preStop, SIGTERM, and SIGKILL after `grace` seconds in all; no restart."""
        self._stopping.set()
        await self._end(grace)

    def measure(self, usage: Mapping[int, Usage]) -> None:
        """Take in what its processes use, by session; above its memory limit they are killed,
        as the kernel kills a control group.
        """
        child = self._running[0] if self._running else None
        self.usage = usage.get(child.pid) if child else None
        if child and self.usage and 0 < self.memory_limit < self.usage.memory:
            self._out_of_memory = True
            child.send(signal.SIGKILL)

    async def _end(self, grace: float) -> None:
        if self._running is None:
            return
        child, plan = self._running
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace
        if plan.pre_stop and grace > 0:
            result = await self._check(plan.pre_stop, grace, plan.env)
            if not result.ok:
                self._event("Warning", "FailedPreStopHook", f"preStop: {result.message}")
        await child.stop(max(deadline - loop.time(), 0))

    async def _hold(self, seconds: int) -> None:
        if seconds == 0:
            return
        message = f"back-off {seconds}s restarting failed container {self.state.name}"
        self._set(state=Waiting("CrashLoopBackOff", message))
        self._event("Warning", "BackOff", message)
        await self._pause(seconds)

    async def _pause(self, seconds: float) -> None:
        """Sleep, but no longer than until the container is told to stop."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _prepare(self) -> _Plan | None:
        """The next run; waits while it cannot be made (the reason is in the pod's status).

        None when the container is told to stop meanwhile.
        """
        attempts = itertools.count()
        while not self._stopping.is_set():
            attempt = next(attempts)
            try:
                plan = await self._plan()
            except UnknownImageError as error:
                reason = "ErrImagePull" if attempt == 0 else "ImagePullBackOff"
                self._refuse(reason, str(error), attempt)
            except (EnvironmentFault, probes.UnsupportedError) as error:
                self._refuse("CreateContainerConfigError", str(error), attempt)
            else:
                return None if self._stopping.is_set() else plan
            await self._pause(FIRST_SECONDS)
        return None

    async def _plan(self) -> _Plan:
        spec, address = self._around.located(self._spec), self._around.address
        env = await self._around.environment(spec)
        if "restartPolicy" in spec:
            raise probes.UnsupportedError(
                f"container {spec['name']}: the sandbox's node knows no restartPolicy of a "
                "container (sidecar); make it an ordinary container"
            )
        return _Plan(
            argv=command_line(spec, env),
            env=env,
            startup=probes.probe(spec, "startupProbe", address),
            readiness=probes.probe(spec, "readinessProbe", address),
            liveness=probes.probe(spec, "livenessProbe", address),
            post_start=probes.hook(spec, "postStart", address),
            pre_stop=probes.hook(spec, "preStop", address),
        )

    def _refuse(self, reason: str, message: str, attempt: int) -> None:
        self._set(state=Waiting(reason, message))
        if attempt == 0:
            self._event("Warning", "Failed", message)

    async def _run_once(self, plan: _Plan) -> Terminated:
        started = _now()
        self._out_of_memory = False
        try:
            child = Child(plan.argv, plan.env, self._around.folder, self._log)
        except OSError as error:
            ended = Terminated(128, "StartError", started, _now(), "", f"{plan.argv[0]}: {error}")
            self._event("Warning", "Failed", ended.message)
        else:
            self._running = child, plan
            identity = f"process://{child.pid}"
            self._set(state=Running(started), identity=identity)
            self._event("Normal", "Started", f"Started container {self.state.name}")
            code = await self._attend(child, plan)
            self._running = self.usage = None
            ended = self._ended(code, started, identity)
        self._set(state=ended, started=False, ready=False)
        return ended

    def _ended(self, code: int, started: datetime, identity: str) -> Terminated:
        if self._out_of_memory and code == -signal.SIGKILL:
            return Terminated(KILLED_EXIT_CODE, "OOMKilled", started, _now(), identity)
        reason = "Completed" if code == 0 else "Error"
        return Terminated(code, reason, started, _now(), identity)

    async def _attend(self, child: Child, plan: _Plan) -> int:
        """Probe the process until it ends; its exit code. It never outlives this call."""
        try:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self._watch(plan))
                code = await child.wait()
                watching.cancel()
                return code
        finally:
            child.send(signal.SIGKILL)

    async def _watch(self, plan: _Plan) -> None:
        if plan.post_start:
            result = await self._check(plan.post_start, self._around.grace, plan.env)
            if not result.ok:
                await self._kill("FailedPostStartHook", f"postStart: {result.message}")
                return
        if plan.startup and not await self._start_up(plan.startup, plan.env):
            await self._kill("Killing", "startup probe failed; the container restarts")
            return
        self._set(started=True, ready=plan.readiness is None)
        async with asyncio.TaskGroup() as group:
            if plan.readiness:
                group.create_task(self._keep_ready(plan.readiness, plan.env))
            if plan.liveness:
                group.create_task(self._keep_alive(plan.liveness, plan.env))

    async def _start_up(self, probe: probes.Probe, env: Mapping[str, str]) -> bool:
        verdict = probes.Verdict(probe, passing=False)
        await asyncio.sleep(probe.initial_delay)
        while True:
            await self._probe("Startup", probe, verdict, env)
            if verdict.passing or verdict.failed:
                return verdict.passing
            await asyncio.sleep(probe.period)

    async def _keep_ready(self, probe: probes.Probe, env: Mapping[str, str]) -> None:
        verdict = probes.Verdict(probe, passing=False)
        await asyncio.sleep(probe.initial_delay)
        while True:
            if await self._probe("Readiness", probe, verdict, env):
                self._set(ready=verdict.passing)
            hurry = min(probe.period, probes.UNREADY_PERIOD_SECONDS)
            await asyncio.sleep(probe.period if verdict.passing else hurry)

    async def _keep_alive(self, probe: probes.Probe, env: Mapping[str, str]) -> None:
        verdict = probes.Verdict(probe, passing=True)
        await asyncio.sleep(probe.initial_delay)
        while verdict.passing:
            await self._probe("Liveness", probe, verdict, env)
            await asyncio.sleep(probe.period if verdict.passing else 0)
        await self._kill("Killing", "liveness probe failed; the container restarts")

    async def _probe(
        self, kind: str, probe: probes.Probe, verdict: probes.Verdict, env: Mapping[str, str]
    ) -> bool:
        """Run a probe once; True when its verdict changed. A new failure becomes an event."""
        result = await self._check(probe.action, probe.timeout, env)
        was_failed = verdict.failed
        changed = verdict.add(result.ok)
        if verdict.failed and not was_failed:
            self._event("Warning", "Unhealthy", f"{kind} probe failed: {result.message}")
        return changed

    async def _kill(self, reason: str, message: str) -> None:
        if self._stopping.is_set():
            return  # it is ending already, in its own time
        self._event("Warning", reason, f"Container {self.state.name}: {message}")
        self._set(ready=False)
        await self._end(self._around.grace)

    async def _check(self, action: probes.Action, seconds: float, env: Mapping[str, str]) -> Result:
        return await self._around.checker.run(action, seconds, env, self._around.folder)

    @property
    def _log(self) -> Path:
        return self._around.folder / f"{self.state.name}.log"

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self._around.changed()

    def _event(self, kind: str, reason: str, message: str) -> None:
        self._around.event(kind, reason, message)


def _now() -> datetime:
    return datetime.now(UTC)
