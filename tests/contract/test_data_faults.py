"""Prometheus, the judge, the API server and the controllers themselves fail in the middle of a
rollout, by either controller: nothing is promoted and nothing aborted meanwhile, and the rollout
goes on when they are back.

Argo Rollouts and Flagger each have a release in its only stage, with too little traffic to decide
on; the last test sends enough.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from cli.demo.observe import PROMOTED
from components import conventions
from tests.contract.support.service import Service, stages, verdicts
from tests.contract.support.system import (
    DEPLOYMENT,
    POD,
    Object,
    Objects,
    System,
    process_of,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMESPACE = "faults"
WEIGHT = 20  # percent
TOO_LITTLE, ENOUGH = 2.0, 50.0  # requests per second


@dataclass(frozen=True)
class Releases:
    """One release by each controller."""

    argo: Service
    flagger: Service
    system: System

    async def load(self, rate: float) -> None:
        await self.system.load({self.argo.host: rate, self.flagger.host: rate})

    async def unmoved(self) -> None:
        """Both are where they were."""
        for service in (self.argo, self.flagger):
            found = await service.snapshot()
            assert (found.phase, found.weight, found.outcome) == ("Progressing", WEIGHT, None)
            assert await service.routed() == WEIGHT

    async def looks(self) -> tuple[int, int]:
        """How often Argo has measured, and how much Flagger has said: both grow for ever."""
        runs = await self.argo.analysis_runs()
        results = runs[-1]["status"].get("metricResults", [{}])[0]
        said = self.system.flagger_said(self.flagger.name, NAMESPACE)
        return results.get("count", 0) + results.get("error", 0), len(said)

    async def looked_on(self, before: tuple[int, int]) -> None:
        """Both controllers have looked again since, and more than once."""
        await until(
            self.looks,
            lambda now: now[0] > before[0] + 1 and now[1] > before[1] + 1,
            f"both controllers look again, after {before}",
        )

    async def answer(self) -> Object:
        """The judge's newest answer that Argo stored, or nothing."""
        return (verdicts((await self.argo.measurements())[-1:]) or [{}])[0]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def releases(system: System, objects: Objects, judge: None) -> AsyncIterator[Releases]:
    argo = Service(objects, "checkout", NAMESPACE, "argo")
    flagger = Service(objects, "payments", NAMESPACE, "flagger")
    made = Releases(argo, flagger, system)
    for service in (flagger, argo):
        await service.release("1.0.0")
    for service in (argo, flagger):
        assert (await service.ended()).outcome == PROMOTED
    await made.load(TOO_LITTLE)
    for service in (argo, flagger):
        await service.release("1.1.0", stages(WEIGHT))
    for service in (argo, flagger):
        await service.reached(WEIGHT)
    await gathering(made)
    yield made
    await system.load({})
    await flagger.delete()


async def gathering(releases: Releases) -> None:
    """The judge counts requests, and has too few."""
    await until(
        releases.answer,
        lambda answer: answer.get("reason") == "gathering",
        "the judge has counts, but too few",
    )


async def test_without_prometheus_nothing_is_decided_and_the_reason_is_said(releases: Releases):
    await releases.system.stop("prometheus")
    answer = await until(
        releases.answer,
        lambda answer: answer.get("reason") == "query_error",
        "the judge misses Prometheus",
    )
    assert answer["verdict"] == "undecided"
    assert "Prometheus" in answer["why"]
    await releases.looked_on(await releases.looks())
    await releases.unmoved()
    said = releases.system.flagger_said(releases.flagger.name, NAMESPACE)
    assert any("slo-rollout failed" in line and "Prometheus" in line for line in said)
    await releases.system.up()
    await gathering(releases)
    await releases.unmoved()


async def test_a_prometheus_that_hangs_decides_nothing_and_flagger_is_told_in_time(
    releases: Releases,
):
    """The judge answers before Flagger hangs up, so the reason reaches its events."""
    told = len(releases.system.flagger_said(releases.flagger.name, NAMESPACE))

    async def said() -> list[str]:
        return releases.system.flagger_said(releases.flagger.name, NAMESPACE)[told:]

    with releases.system.hanging("prometheus"):
        await until(
            said,
            lambda lines: any("did not answer in" in line for line in lines),
            "Flagger's event says that Prometheus is too slow",
        )
        await releases.unmoved()
    await gathering(releases)
    await releases.unmoved()


async def test_a_judge_that_is_killed_decides_nothing(objects: Objects, releases: Releases):
    before = await releases.looks()
    for pod in await judges(objects):
        os.kill(process_of(pod["metadata"]["name"]), signal.SIGKILL)
    await until(
        lambda: judges(objects),
        lambda found: all(_restarted(pod) for pod in found),
        "every replica of the judge has been started again",
    )
    await releases.looked_on(before)
    await gathering(releases)
    await releases.unmoved()


async def test_a_judge_that_hangs_decides_nothing(objects: Objects, releases: Releases):
    """Connected to, and never answering: the controllers run into their own timeouts."""
    processes = [process_of(pod["metadata"]["name"]) for pod in await judges(objects)]
    before = await releases.looks()
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        await releases.looked_on(before)
        await releases.unmoved()
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)
    await gathering(releases)
    await releases.unmoved()


async def test_without_any_judge_nothing_is_decided(objects: Objects, releases: Releases):
    """All replicas are gone for as long as it takes both controllers to have asked in vain."""
    await scale_judge(objects, 0)
    await until(lambda: judges(objects), lambda found: not found, "no judge is left")
    before = await releases.looks()
    await releases.looked_on(before)
    assert "503" in (await releases.argo.measurements())[-1]["message"]
    await releases.unmoved()
    await scale_judge(objects, 2)
    await gathering(releases)
    await releases.unmoved()


async def test_controllers_that_are_killed_lose_no_rollout(releases: Releases):
    for controller in ("argo-rollouts", "flagger"):
        releases.system.kill(controller)
    await releases.system.up()
    await releases.looked_on(await releases.looks())
    await gathering(releases)
    await releases.unmoved()


async def test_an_api_server_that_is_killed_loses_no_rollout(releases: Releases):
    before = await releases.looks()
    releases.system.kill("kube-apiserver")
    await asyncio.sleep(2)  # the controllers notice
    await releases.system.up()
    await releases.looked_on(before)
    await gathering(releases)
    await releases.unmoved()


async def test_the_releases_go_on_and_are_promoted(releases: Releases):
    """After all that the tests above did to them."""
    await releases.load(ENOUGH)
    assert (await releases.argo.ended()).outcome == PROMOTED
    assert (await releases.flagger.ended()).outcome == PROMOTED


async def judges(objects: Objects) -> list[Object]:
    """The judge's pods, without those that are ending."""
    labels = {conventions.APP: conventions.JUDGE}
    found = await objects.list(POD, conventions.PLATFORM_NAMESPACE, **labels)
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


async def scale_judge(objects: Objects, replicas: int) -> None:
    change = {"spec": {"replicas": replicas}}
    await objects.patch(DEPLOYMENT, conventions.PLATFORM_NAMESPACE, conventions.JUDGE, change)


def _restarted(pod: Object) -> bool:
    [status] = pod["status"]["containerStatuses"]
    return status["ready"] and status["restartCount"] > 0
