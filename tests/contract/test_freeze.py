"""A service that has spent its error budget begins no release but the one that its policy names as
the fix: by the component's own recording rules, in the real Prometheus, and by either controller.
"""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from cli.demo.observe import PROMOTED
from sandbox import prometheus
from tests.contract.support.service import Service, stages, verdicts
from tests.contract.support.system import Objects, System, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLACE = "freeze"
RATE = 40.0
REMAINING = f'slo:period_error_budget_remaining:ratio{{namespace="{PLACE}"}}'

Pair = tuple[Service, Service]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(system: System, objects: Objects, judge: None) -> AsyncIterator[Pair]:
    """By Argo and by Flagger. Of 95 % availability half is kept, so the budget is soon gone."""
    argo, flagger = (
        Service(objects, name, PLACE, controller)
        for name, controller in (("checkout", "argo"), ("payments", "flagger"))
    )
    for service in (flagger, argo):
        await service.release("1.0.0", ERROR_RATIO="0.5")
    for service in (argo, flagger):
        assert (await service.ended()).outcome == PROMOTED
    await system.load({argo.host: RATE, flagger.host: RATE})
    yield argo, flagger
    await system.load({})
    await flagger.delete()


async def remaining(system: System) -> list[float]:
    """What the rules say is left of the budgets, as a fraction."""
    async with httpx.AsyncClient(trust_env=False) as client:
        url = f"{prometheus.url(system.network)}/api/v1/query"
        answer = (await client.get(url, params={"query": REMAINING})).raise_for_status().json()
    return [float(found["value"][1]) for found in answer["data"]["result"]]


async def test_a_spent_budget_holds_the_next_release_and_says_so(system: System, services: Pair):
    argo, flagger = services
    await until(
        lambda: remaining(system),
        lambda left: len(left) == 2 and max(left) < 0,
        "the rules know that both budgets are spent",
    )
    for service in services:
        await service.release("1.1.0", stages(50), {"freeze": True})
    measured = await until(argo.measurements, lambda found: len(found) > 2, "Argo asks and waits")
    assert {answer["reason"] for answer in verdicts(measured)} == {"budget_exhausted"}
    assert "the error budget for availability is spent" in verdicts(measured)[-1]["why"]
    waiting = await until(
        flagger.canary, lambda found: found["status"]["phase"] == "Waiting", "Flagger waits"
    )
    assert not waiting["status"].get("failedChecks")
    for service in services:
        assert await service.routed() == 0


async def test_the_fix_begins_and_is_promoted(services: Pair):
    """It is proven better than the version that spends the budget."""
    for service in services:
        await service.release("1.2.0", stages(50), {"freeze": True, "fix": "1.2.0"})
    for service in services:
        assert (await service.ended()).outcome == PROMOTED
