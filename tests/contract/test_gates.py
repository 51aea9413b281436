"""A release outside of its windows waits before its first traffic, by either controller, and begins
by itself when a window opens; what a person can do about it meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from cli.demo.observe import ABORTED, PROMOTED
from tests.contract.support import person
from tests.contract.support.pair import Pair, pair
from tests.contract.support.service import arguments, stages
from tests.contract.support.system import POD, Object, Objects, System, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLACE = "gates"
WEIGHT = 50
STAGE = stages(WEIGHT)
RATE = 40.0
EVERY_DAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(system: System, objects: Objects, judge: None) -> AsyncIterator[Pair]:
    async with pair(system, objects, PLACE, RATE) as made:
        yield made


async def pods(services: Pair, tag: str) -> list[Object]:
    """Pods of this version of the services' own workloads; Flagger's stable copy is none."""
    found = [
        pod
        for service in services
        for pod in await services.objects.list(POD, PLACE, app=service.name)
    ]
    return [pod for pod in found if pod["metadata"]["labels"]["version"].startswith(f"{tag}-")]


def opening_in(minutes: int) -> tuple[datetime, dict[str, Any]]:
    """A window that opens when so many minutes more have begun, an hour long."""
    opens = (datetime.now(UTC) + timedelta(minutes=minutes)).replace(second=0, microsecond=0)
    hours = f"{opens:%H:%M}-{opens + timedelta(hours=1):%H:%M}"
    return opens, {"windows": [{"days": EVERY_DAY, "hours": hours}]}


def closed() -> dict[str, Any]:
    """A window that does not open while these tests run."""
    return opening_in(60)[1]


async def weights(services: Pair) -> list[int]:
    """Those at which Argo has asked the judge about this release, in turn."""
    return [int(arguments(run)["weight"]) for run in await services.argo.analysis_runs()]


async def test_a_release_waits_without_pods_and_traffic_until_its_window_opens(services: Pair):
    opens, policy = opening_in(2)
    await services.release("1.1.0", STAGE, policy)
    answers = await services.waiting()
    assert {answer["reason"] for answer in answers} == {"window_closed"}
    assert f"{opens:%H:%M} UTC" in answers[-1]["why"]
    assert not await pods(services, "1.1.0")
    await asyncio.sleep((opens - datetime.now(UTC)).total_seconds() - 5)
    assert {answer["verdict"] for answer in await services.answers()} == {"undecided"}
    await services.ended(PROMOTED)
    assert datetime.now(UTC) > opens


async def test_what_a_person_lets_through_is_judged_all_the_same(services: Pair):
    """Argo is told to promote; Flagger knows no such command, so its release is named as fix."""
    bad = {"ERROR_RATIO": "0.5"}
    await services.release("1.2.0", STAGE, closed(), **bad)
    await services.waiting()
    await person.promote(services.argo)
    await services.flagger.release("1.2.0", STAGE, closed() | {"fix": "1.2.0"}, **bad)
    await services.ended(ABORTED)
    assert await weights(services) == [0, WEIGHT]
    assert (await services.answers())[-1]["verdict"] == "fail"


async def test_a_release_that_is_tried_again_waits_again(services: Pair):
    """After the judge's abort, and after a person's while it waited."""
    await services.flagger.release("1.2.0", STAGE, closed(), ERROR_RATIO="0.5")
    for attempt in (1, 2):
        for service in services:
            await person.retry(service)
        await services.waiting()
        assert await weights(services) == [0, WEIGHT] + [0] * attempt
        if attempt == 1:
            for service in services:
                await person.abort(service)
    await until(
        lambda: pods(services, "1.2.0"),
        lambda found: not found,
        "the pods that the judge has seen fail are gone",
    )


async def test_a_fix_takes_the_waiting_releases_place_and_need_not_wait(services: Pair):
    await services.release("1.3.0", STAGE, closed() | {"fix": "1.3.0"})
    await services.ended(PROMOTED)
    assert await weights(services) == [WEIGHT]


async def test_a_newer_release_takes_the_waiting_ones_place_and_waits_itself(services: Pair):
    for tag in ("1.4.0", "1.5.0"):
        await services.release(tag, STAGE, closed())
        await services.waiting()
        assert not await pods(services, tag)


async def test_going_back_ends_the_wait_by_argo_and_flagger_has_to_be_told(services: Pair):
    """Flagger would wait for the window, and then release the stable version once more."""
    await services.release("1.3.0", STAGE, closed())
    await services.argo.ends(PROMOTED)
    told = await services.flagger_told_to_wait()
    await until(services.flagger_told_to_wait, lambda now: now > told, "Flagger asks on")
    await person.abort(services.flagger)
    status = (await services.flagger.canary())["status"]
    assert status["lastAppliedSpec"] == status["lastPromotedSpec"]
    assert (await services.flagger.deployment())["spec"]["replicas"] == 0
