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

import pytest
import pytest_asyncio

from cli.demo.observe import PROMOTED
from components import conventions
from tests.contract.support.pair import Pair, pair
from tests.contract.support.service import stages
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

WEIGHT = 20  # percent
TOO_LITTLE, ENOUGH = 2.0, 50.0  # requests per second
# Of the canary: at 0.4 per second more than these tests take, also on a slow machine.
POLICY = {"min_requests": 400}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def releases(system: System, objects: Objects, judge: None) -> AsyncIterator[Pair]:
    async with pair(system, objects, "faults", TOO_LITTLE) as made:
        await made.release("1.1.0", stages(WEIGHT), POLICY)
        await made.reached(WEIGHT)
        await gathering(made)
        yield made


async def gathering(releases: Pair) -> None:
    """The judge counts requests, and has too few."""
    await until(
        releases.answer,
        lambda answer: answer.get("reason") == "gathering",
        "the judge has counts, but too few",
    )


async def test_without_prometheus_nothing_is_decided_and_the_reason_is_said(releases: Pair):
    async with releases.system.without("prometheus"):
        answer = await until(
            releases.answer,
            lambda answer: answer.get("reason") == "query_error",
            "the judge misses Prometheus",
        )
        assert answer["verdict"] == "undecided"
        assert "Prometheus" in answer["why"]
        await releases.looked_on(await releases.looks())
        await releases.held_at(WEIGHT)
        said = releases.flagger_said()
        assert any("slo-rollout failed" in line and "Prometheus" in line for line in said)
    await gathering(releases)
    await releases.held_at(WEIGHT)


async def test_a_prometheus_that_hangs_decides_nothing_and_flagger_is_told_in_time(
    releases: Pair,
):
    """The judge answers before Flagger hangs up, so the reason reaches its events."""
    told = len(releases.flagger_said())

    async def said() -> list[str]:
        return releases.flagger_said()[told:]

    with releases.system.hanging("prometheus"):
        await until(
            said,
            lambda lines: any("did not answer in" in line for line in lines),
            "Flagger's event says that Prometheus is too slow",
        )
        await releases.held_at(WEIGHT)
    await gathering(releases)
    await releases.held_at(WEIGHT)


async def test_a_judge_that_is_killed_decides_nothing(objects: Objects, releases: Pair):
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
    await releases.held_at(WEIGHT)


async def test_a_judge_that_hangs_decides_nothing(objects: Objects, releases: Pair):
    """Connected to, and never answering: the controllers run into their own timeouts."""
    processes = [process_of(pod["metadata"]["name"]) for pod in await judges(objects)]
    before = await releases.looks()
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        await releases.looked_on(before)
        await releases.held_at(WEIGHT)
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)
    await gathering(releases)
    await releases.held_at(WEIGHT)


async def test_without_any_judge_nothing_is_decided(objects: Objects, releases: Pair):
    """All replicas are gone for as long as it takes both controllers to have asked in vain."""
    await scale_judge(objects, 0)
    await until(lambda: judges(objects), lambda found: not found, "no judge is left")
    before = await releases.looks()
    await releases.looked_on(before)
    assert "503" in (await releases.argo.measurements())[-1]["message"]
    await releases.held_at(WEIGHT)
    await scale_judge(objects, 2)
    await gathering(releases)
    await releases.held_at(WEIGHT)


async def test_controllers_that_are_killed_lose_no_rollout(releases: Pair):
    for controller in ("argo-rollouts", "flagger"):
        releases.system.kill(controller)
    await releases.system.up()
    await releases.looked_on(await releases.looks())
    await gathering(releases)
    await releases.held_at(WEIGHT)


async def test_an_api_server_that_is_killed_loses_no_rollout(releases: Pair):
    before = await releases.looks()
    releases.system.kill("kube-apiserver")
    await asyncio.sleep(2)  # the controllers notice
    await releases.system.up()
    await releases.looked_on(before)
    await gathering(releases)
    await releases.held_at(WEIGHT)


async def test_the_releases_go_on_and_are_promoted(releases: Pair):
    """After all that the tests above did to them."""
    await releases.load(ENOUGH)
    await releases.ended(PROMOTED)


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
