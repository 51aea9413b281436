"""A release outside of its windows waits before its first traffic, by either controller, and begins
by itself when a window opens.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from cli.demo.observe import PROMOTED
from tests.contract.support.service import Service, stages, verdicts
from tests.contract.support.system import (
    ANALYSIS_RUN,
    POD,
    Object,
    Objects,
    System,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMESPACE = "gates"
WEIGHT = 50
RATE = 40.0
EVERY_DAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Services:
    argo: Service
    flagger: Service
    objects: Objects

    async def release(self, tag: str, policy: dict[str, Any]) -> None:
        for service in (self.argo, self.flagger):
            await service.release(tag, stages(WEIGHT), policy)

    async def pods(self, service: Service, tag: str) -> list[Object]:
        """Pods of this version of the service's own workload; Flagger's stable copy is none."""
        found = await self.objects.list(POD, NAMESPACE, app=service.name)
        return [pod for pod in found if pod["metadata"]["labels"]["version"].startswith(f"{tag}-")]

    async def answers(self) -> list[Object]:
        return verdicts(await self.argo.measurements())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(system: System, objects: Objects, judge: None) -> AsyncIterator[Services]:
    made = Services(
        Service(objects, "checkout", NAMESPACE, "argo"),
        Service(objects, "payments", NAMESPACE, "flagger"),
        objects,
    )
    for service in (made.flagger, made.argo):
        await service.release("1.0.0")
    for service in (made.argo, made.flagger):
        assert (await service.ended()).outcome == PROMOTED
    await system.load({made.argo.host: RATE, made.flagger.host: RATE})
    yield made
    await system.load({})
    await made.flagger.delete()


def opening_in(minutes: int) -> tuple[datetime, dict[str, Any]]:
    """A window that opens when so many minutes more have begun, an hour long."""
    opens = (datetime.now(UTC) + timedelta(minutes=minutes)).replace(second=0, microsecond=0)
    hours = f"{opens:%H:%M}-{opens + timedelta(hours=1):%H:%M}"
    return opens, {"windows": [{"days": EVERY_DAY, "hours": hours}]}


async def test_a_release_waits_without_pods_and_traffic_until_its_window_opens(services: Services):
    opens, policy = opening_in(2)
    await services.release("1.1.0", policy)
    answers = await until(services.answers, lambda found: len(found) > 2, "Argo asks and waits")
    assert {answer["reason"] for answer in answers} == {"window_closed"}
    assert f"{opens:%H:%M} UTC" in answers[-1]["why"]
    waiting = await until(
        services.flagger.canary,
        lambda found: found["status"]["phase"] == "Waiting",
        "Flagger waits",
    )
    assert not waiting["status"].get("failedChecks")
    for service in (services.argo, services.flagger):
        assert await service.routed() == 0
        assert not await services.pods(service, "1.1.0")
    await asyncio.sleep((opens - datetime.now(UTC)).total_seconds() - 5)
    assert {answer["verdict"] for answer in await services.answers()} == {"undecided"}
    for service in (services.argo, services.flagger):
        assert (await service.ended()).outcome == PROMOTED
    assert datetime.now(UTC) > opens


async def test_a_fix_that_the_policy_names_need_not_wait(services: Services):
    _, policy = opening_in(30)
    await services.release("1.2.0", policy | {"fix": "1.2.0"})
    for service in (services.argo, services.flagger):
        assert (await service.ended()).outcome == PROMOTED
    # Its first analysis is that of its first stage.
    runs = await services.objects.list(ANALYSIS_RUN, NAMESPACE)
    assert runs
    first = (await services.argo.analysis_runs())[0]
    weights = {arg["name"]: arg["value"] for arg in first["spec"]["args"]}
    assert weights["weight"] == str(WEIGHT)
