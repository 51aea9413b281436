"""A stage has had its time and is undecided: the policy decides, by either controller, unless
there is no data to tell that it is undecided.

Too few requests to prove anything, and none of them fails.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cli.demo.observe import ABORTED, PROMOTED
from tests.contract.support.pair import Pair, pair
from tests.contract.support.service import result, stages, verdicts
from tests.contract.support.system import Object, Objects, System, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

WEIGHT, SECONDS = 20, 30
STAGE = stages(WEIGHT, seconds=SECONDS)
RATE = 5.0  # requests per second: thirty for the canary, where a hundred are needed
PROMOTE = {"on_undecided": "promote", "min_requests": 5, "warm_up": "0s"}
ABORT = {"on_undecided": "abort", "warm_up": "0s"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(system: System, objects: Objects, judge: None) -> AsyncIterator[Pair]:
    async with pair(system, objects, "deadlines", RATE) as made:
        yield made


async def test_the_policy_abort_takes_an_undecided_release_back(services: Pair):
    await services.release("1.1.0", STAGE, ABORT)
    await services.ended(ABORTED)
    [run] = await services.argo.analysis_runs()
    answers = verdicts(result(run)["measurements"])
    assert [answer["verdict"] for answer in answers[:-1]] == ["undecided"] * (len(answers) - 1)
    assert answers[-1]["reason"] == "undecided_aborted"
    assert f"the stage had its {SECONDS}s" in answers[-1]["why"]


async def test_the_policy_promote_waits_for_data_and_then_goes_on(system: System, services: Pair):
    """No data is no doubt: while Prometheus is away the deadline passes without effect.

    The traffic begins when both have reached the stage: one may do so long before the other.
    """
    await system.load({})
    await services.release("1.2.0", STAGE, PROMOTE)
    await services.reached(WEIGHT)
    await services.load(RATE)
    await until(services.answer, counted, "the stage's time begins")
    async with system.without("prometheus"):
        await asyncio.sleep(1.5 * SECONDS)
        await services.held_at(WEIGHT)
    await services.ended(PROMOTED)
    [run] = await services.argo.analysis_runs()
    assert verdicts(result(run)["measurements"])[-1]["reason"] == "undecided_promoted"


def counted(answer: Object) -> bool:
    return any(each["canary"]["total"] for each in answer.get("indicators", []))
