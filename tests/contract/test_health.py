"""Containers of a canary that die fail the release without a single request, seen by the real
kube-state-metrics and Prometheus.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cli.demo.observe import ABORTED, PROMOTED
from tests.contract.support.service import Service, stages, verdicts
from tests.contract.support.system import Object, Objects, System

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def checkout(system: System, objects: Objects, judge: None) -> AsyncIterator[Service]:
    """A service in its first version that nobody calls."""
    service = Service(objects, "checkout", "health", "argo")
    await service.release("1.0.0")
    assert (await service.ended()).outcome == PROMOTED
    yield service
    await service.delete()


async def aborted(checkout: Service) -> Object:
    """The verdict that ended the release."""
    assert (await checkout.ended()).outcome == ABORTED
    return verdicts(await checkout.measurements())[-1]


async def test_a_canary_that_runs_out_of_memory_is_aborted(checkout: Service):
    await checkout.release("1.1.0", stages(20), LEAK_MIB_PER_SECOND="40")
    verdict = await aborted(checkout)
    assert verdict["reason"] == "oom_killed"
    assert "killed for want of memory" in verdict["why"]


async def test_a_canary_that_crashes_again_and_again_is_aborted(checkout: Service):
    await checkout.release("1.2.0", stages(20), CRASH_AFTER_SECONDS="4")
    verdict = await aborted(checkout)
    assert verdict["reason"] in {"crash_loop", "restarts"}
