"""Releases that are judged by the application's own metrics, as Prometheus scrapes them from the
pods. The objective is one that Istio's metrics could not answer: they have no bucket of 300 ms.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cli.demo.observe import ABORTED, PROMOTED
from tests.contract.support.service import Service, stages, verdicts
from tests.contract.support.system import NAMESPACE, Objects, System

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLACE = "measured"
RATE = 40.0
SLO = {
    "availability": 95.0,
    "latency": {"percentile": 95, "threshold": "300ms"},
    "metrics": "prom-client",
}


class Measured(Service):
    """It measures itself."""

    slo = SLO


Pair = tuple[Measured, Measured]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(system: System, objects: Objects, judge: None) -> AsyncIterator[Pair]:
    """By Argo and by Flagger, under load."""
    pair = argo, flagger = (
        Measured(objects, "checkout", PLACE, "argo"),
        Measured(objects, "payments", PLACE, "flagger"),
    )
    for service in pair:
        await service.release("1.0.0")
    for service in pair:
        assert (await service.ended()).outcome == PROMOTED
    await system.load({argo.host: RATE, flagger.host: RATE})
    yield pair
    await system.load({})
    await flagger.leave_flagger()
    await objects.delete(NAMESPACE, None, PLACE)


async def test_what_the_pods_themselves_count_as_slow_is_aborted(services: Pair):
    """Every other request takes 400 ms."""
    for service in services:
        await service.release("1.1.0", stages(50), SLOW_RATIO="0.5", SLOW_MS="400")
    await asyncio.gather(*(service.ends(ABORTED) for service in services))
    verdict = verdicts(await services[0].measurements())[-1]
    latency = next(one for one in verdict["indicators"] if one["name"] == "latency")
    assert latency["reason"] in {"regression", "slo_burn"}
    assert latency["canary"]["bad"] / latency["canary"]["total"] > 0.1
    assert latency["stable"]["bad"] / latency["stable"]["total"] < 0.05
    assert "300ms" in verdict["why"]


async def test_what_the_pods_themselves_count_as_good_is_promoted(services: Pair):
    for service in services:
        await service.release("1.2.0", stages(50))
    await asyncio.gather(*(service.ends(PROMOTED) for service in services))
    verdict = verdicts(await services[0].measurements())[-1]
    assert {one["name"] for one in verdict["indicators"]} == {"availability", "latency"}
    assert verdict["reason"] == "non_inferior"
