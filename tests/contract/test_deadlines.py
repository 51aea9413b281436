"""A stage has had its time and is undecided: the policy decides, by either controller, unless
there is no data to tell that it is undecided.

Too few requests to prove anything, and none of them fails.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from cli.demo.observe import ABORTED, PROMOTED
from tests.contract.support.service import Service, result, stages, verdicts
from tests.contract.support.system import Objects, System

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMESPACE = "deadlines"
WEIGHT, SECONDS = 20, 16
RATE = 5.0  # requests per second: sixteen for the canary, where a hundred are needed
PROMOTE = {"on_undecided": "promote", "min_requests": 5, "warm_up": "0s"}
ABORT = {"on_undecided": "abort", "warm_up": "0s"}


@dataclass(frozen=True)
class Services:
    argo: Service
    flagger: Service
    system: System

    async def release(self, tag: str, policy: Mapping[str, Any]) -> None:
        for service in (self.argo, self.flagger):
            await service.release(tag, stages(WEIGHT, seconds=SECONDS), policy)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(system: System, objects: Objects, judge: None) -> AsyncIterator[Services]:
    made = Services(
        Service(objects, "checkout", NAMESPACE, "argo"),
        Service(objects, "payments", NAMESPACE, "flagger"),
        system,
    )
    for service in (made.flagger, made.argo):
        await service.release("1.0.0")
    for service in (made.argo, made.flagger):
        assert (await service.ended()).outcome == PROMOTED
    await system.load({made.argo.host: RATE, made.flagger.host: RATE})
    yield made
    await system.load({})
    await made.flagger.delete()


async def test_the_policy_abort_takes_an_undecided_release_back(services: Services):
    await services.release("1.1.0", ABORT)
    assert (await services.argo.ended()).outcome == ABORTED
    [run] = await services.argo.analysis_runs()
    answers = verdicts(result(run)["measurements"])
    assert [answer["verdict"] for answer in answers[:-1]] == ["undecided"] * (len(answers) - 1)
    assert answers[-1]["reason"] == "undecided_aborted"
    assert f"the stage had its {SECONDS}s" in answers[-1]["why"]
    assert (await services.flagger.ended()).outcome == ABORTED


async def test_the_policy_promote_waits_for_data_and_then_goes_on(services: Services):
    """No data is no doubt: while Prometheus is away the deadline passes without effect."""
    await services.release("1.2.0", PROMOTE)
    for service in (services.argo, services.flagger):
        await service.reached(WEIGHT)
    await services.system.stop("prometheus")
    await asyncio.sleep(2 * SECONDS)
    for service in (services.argo, services.flagger):
        found = await service.snapshot()
        assert (found.phase, found.weight, found.outcome) == ("Progressing", WEIGHT, None)
    await services.system.up()
    assert (await services.argo.ended()).outcome == PROMOTED
    [run] = await services.argo.analysis_runs()
    assert verdicts(result(run)["measurements"])[-1]["reason"] == "undecided_promoted"
    assert (await services.flagger.ended()).outcome == PROMOTED
