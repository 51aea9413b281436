"""A service that has spent its error budget begins no release but the one that its policy names as
the fix: by the component's own recording rules, in the real Prometheus, and by either controller.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cli.demo.observe import PROMOTED
from tests.contract.support.pair import Pair, pair
from tests.contract.support.service import stages
from tests.contract.support.system import Objects, System, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLACE = "freeze"
RATE = 40.0
REMAINING = f'slo:period_error_budget_remaining:ratio{{namespace="{PLACE}"}}'


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(system: System, objects: Objects, judge: None) -> AsyncIterator[Pair]:
    """Of 95 % availability half is kept, so the budget is soon gone."""
    async with pair(system, objects, PLACE, RATE, ERROR_RATIO="0.5") as made:
        yield made


async def test_a_spent_budget_holds_the_next_release_and_says_so(system: System, services: Pair):
    await until(
        lambda: system.query(REMAINING),
        lambda left: len(left) == 2 and max(left) < 0,
        "the rules know that both budgets are spent",
    )
    await services.release("1.1.0", stages(50), {"freeze": True})
    answers = await services.waiting()
    assert {answer["reason"] for answer in answers} == {"budget_exhausted"}
    assert "the error budget for availability is spent" in answers[-1]["why"]


async def test_the_fix_begins_and_is_promoted(services: Pair):
    """It is proven better than the version that spends the budget."""
    await services.release("1.2.0", stages(50), {"freeze": True, "fix": "1.2.0"})
    await services.ended(PROMOTED)
