"""One service by each controller, under the same load: for what both have to do alike."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from cli.demo.observe import PROMOTED
from tests.contract.support.service import Service, arguments, result, verdicts
from tests.contract.support.system import Object, Objects, System, until


@dataclass(frozen=True)
class Pair:
    argo: Service
    flagger: Service
    objects: Objects
    system: System

    def __iter__(self) -> Iterator[Service]:
        yield from (self.argo, self.flagger)

    async def release(
        self,
        tag: str,
        stages: Sequence[dict[str, Any]] = (),
        policy: Mapping[str, Any] | None = None,
        **env: str,
    ) -> None:
        for service in self:
            await service.release(tag, stages, policy, **env)

    async def load(self, rate: float) -> None:
        """So many requests per second to each."""
        await self.system.load({service.host: rate for service in self})

    async def reached(self, weight: int) -> None:
        for service in self:
            await service.reached(weight)

    async def ended(self, outcome: str) -> None:
        """Both releases have an outcome, and it is this one."""
        for service in self:
            assert (await service.ended()).outcome == outcome

    async def held_at(self, weight: int) -> None:
        """Both releases have this weight, in the route too, and no outcome."""
        for service in self:
            found = await service.snapshot()
            assert (found.phase, found.weight, found.outcome) == ("Progressing", weight, None)
            assert await service.routed() == weight

    async def waiting(self) -> list[Object]:
        """Both wait before the first traffic of this release, and have asked whether they still
        must; what the judge has answered Argo.
        """
        told = await self.flagger_told_to_wait()
        labels = (await self.argo.rollout())["spec"]["template"]["metadata"]["labels"]

        def waits(runs: list[Object]) -> bool:
            return (
                bool(runs)
                and arguments(runs[-1])["version"] == labels["version"]
                and arguments(runs[-1])["weight"] == "0"
                and runs[-1].get("status", {}).get("phase") == "Running"
                and result(runs[-1]).get("count", 0) > 2
            )

        runs = await until(self.argo.analysis_runs, waits, "Argo asks and waits")
        await until(
            self.flagger.canary,
            lambda found: found["status"]["phase"] == "Waiting",
            "Flagger waits",
        )
        await until(self.flagger_told_to_wait, lambda now: now > told, "Flagger asks again")
        status = (await self.flagger.canary())["status"]
        assert (status["phase"], status.get("failedChecks", 0)) == ("Waiting", 0)
        for service in self:
            assert await service.routed() == 0
        return verdicts(result(runs[-1])["measurements"])

    async def flagger_told_to_wait(self) -> float:
        """How often, in this release and those before."""
        of = f'exported_namespace="{self.flagger.namespace}",service="{self.flagger.name}"'
        why = 'reason=~"window_closed|budget_exhausted"'
        return sum(await self.system.query(f"sum(sluice_verdicts_total{{{of},{why}}})"))

    async def answers(self) -> list[Object]:
        """What the judge has answered Argo in the newest analysis, oldest first."""
        return verdicts(await self.argo.measurements())

    async def answer(self) -> Object:
        """The judge's newest answer that Argo stored, or nothing."""
        return (verdicts((await self.argo.measurements())[-1:]) or [{}])[0]

    def flagger_said(self) -> list[str]:
        return self.system.flagger_said(self.flagger.name, self.flagger.namespace)

    async def looks(self) -> tuple[int, int]:
        """How often Argo has measured, and how much Flagger has said: both grow for ever."""
        runs = await self.argo.analysis_runs()
        found = result(runs[-1])
        return found.get("count", 0) + found.get("error", 0), len(self.flagger_said())

    async def looked_on(self, before: tuple[int, int]) -> None:
        """Both controllers have looked again since, and more than once."""
        await until(
            self.looks,
            lambda now: now[0] > before[0] + 1 and now[1] > before[1] + 1,
            f"both controllers look again, after {before}",
        )


@asynccontextmanager
async def pair(
    system: System, objects: Objects, namespace: str, rate: float, **env: str
) -> AsyncIterator[Pair]:
    """Both services in a namespace of their own, healthy at version 1.0.0 and under load."""
    made = Pair(
        Service(objects, "checkout", namespace, "argo"),
        Service(objects, "payments", namespace, "flagger"),
        objects,
        system,
    )
    await made.release("1.0.0", (), None, **env)
    await made.ended(PROMOTED)
    await made.load(rate)
    try:
        yield made
    finally:
        await system.load({})
        await made.flagger.delete()
