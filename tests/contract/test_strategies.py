"""A/B by header and blue-green, by either controller: rollouts written by hand around the
component's own question, which stays as it is. Only requests that carry the header, or that are
sent to the preview Service, reach the new version.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio

from cli.demo.observe import ABORTED, HELD, PROMOTED
from components import conventions
from sandbox.mesh.names import GATEWAY_PORT, PROXY_PORT
from tests.contract.support.service import Service, verdicts
from tests.contract.support.system import ANALYSIS_RUN, NAMESPACE, Object, Objects, System

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLACE = "strategies"
RATE = 40.0  # requests per second to stable
CALLERS = 4
HEADER, VALUE = "x-testers", "inside"
INSIDERS = "insiders"  # the header's route


def ab_by_argo(found: Object) -> None:
    if found["kind"] != "Rollout":
        return
    canary = found["spec"]["strategy"]["canary"]
    canary["trafficRouting"]["managedRoutes"] = [{"name": INSIDERS}]
    match = [{"headerName": HEADER, "headerValue": {"exact": VALUE}}]
    analysis = canary["steps"][1]
    set_weight(analysis["analysis"], 100)
    canary["steps"] = [
        {"setCanaryScale": {"replicas": 1}},
        {"setHeaderRoute": {"name": INSIDERS, "match": match}},
        analysis,
    ]


def blue_green_by_argo(found: Object) -> None:
    if found["kind"] != "Rollout":
        return
    [_, analysis] = found["spec"]["strategy"]["canary"]["steps"]
    set_weight(analysis["analysis"], 100)
    name = found["metadata"]["name"]
    found["spec"]["strategy"] = {
        "blueGreen": {
            "activeService": name,
            "previewService": conventions.canary(name),
            "prePromotionAnalysis": analysis["analysis"],
        }
    }


def ab_by_flagger(found: Object) -> None:
    blue_green_by_flagger(found)
    if found["kind"] == "Canary":
        found["spec"]["analysis"]["match"] = [{"headers": {HEADER: {"exact": VALUE}}}]


def blue_green_by_flagger(found: Object) -> None:
    """Iterations instead of weights. Without a match only the Canary's own Service leads to it."""
    if found["kind"] == "Canary":
        del found["spec"]["analysis"]["stepWeights"]
        found["spec"]["analysis"]["iterations"] = 1


def set_weight(analysis: Object, weight: int) -> None:
    """All that match go to the new version, which is no share of the traffic."""
    for argument in analysis["args"]:
        if argument["name"] == "weight":
            argument["value"] = str(weight)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(
    system: System, objects: Objects, judge: None
) -> AsyncIterator[dict[str, Service]]:
    adapted = {
        "checkout": ("argo", ab_by_argo),
        "billing": ("argo", blue_green_by_argo),
        "payments": ("flagger", ab_by_flagger),
        "refunds": ("flagger", blue_green_by_flagger),
    }
    made = {
        name: Service(objects, name, PLACE, controller, adapt)
        for name, (controller, adapt) in adapted.items()
    }
    for service in made.values():
        await service.release("1.0.0")
    for service in made.values():
        assert (await service.ended()).outcome == PROMOTED
    await system.load({service.host: RATE / 2 for service in made.values()})
    yield made
    await system.load({})
    for name in ("payments", "refunds"):
        await made[name].leave_flagger()
    await objects.delete(NAMESPACE, None, PLACE)


@asynccontextmanager
async def tried_out(system: System, services: dict[str, Service]) -> AsyncIterator[None]:
    """Requests for the new versions, each service's in its own way."""

    async def call(name: str) -> None:
        proxy = system.network.url("proxy", PROXY_PORT)
        through: dict[str, Any] = {}
        url = f"{system.network.url('gateway', GATEWAY_PORT)}/"
        headers = {"Host": services[name].host, HEADER: VALUE}
        if name in {"billing", "refunds"}:
            url, headers = f"http://{conventions.canary(name)}.{PLACE}.svc/", {}
            through = {"proxy": proxy}
        async with httpx.AsyncClient(trust_env=False, timeout=5, **through) as client:
            while True:
                try:
                    await client.get(url, headers=headers)
                except httpx.HTTPError:
                    await asyncio.sleep(0.2)  # a version that is just being stopped
                await asyncio.sleep(0.1)

    tasks = [asyncio.create_task(call(name)) for name in services for _ in range(CALLERS)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def runs_of(objects: Objects, service: Service) -> list[Object]:
    """Argo's analysis runs of the present release, whatever its strategy."""
    current = (await service.rollout())["status"]["currentPodHash"]
    return await objects.list(ANALYSIS_RUN, PLACE, **{"rollouts-pod-template-hash": current})


async def test_a_version_that_nobody_has_tried_is_not_promoted(
    objects: Objects, services: dict[str, Service]
):
    """No traffic is no evidence: Argo pauses after the stage's time."""
    short = [{"weight": 50, "time": "10s"}]
    for name in ("checkout", "billing"):
        await services[name].release("1.1.0", short)
    for name in ("checkout", "billing"):
        assert (await services[name].ended()).outcome == HELD
        [run] = await runs_of(objects, services[name])
        assert run["status"]["phase"] == "Inconclusive"
        measured = run["status"]["metricResults"][0]["measurements"]
        assert {answer["reason"] for answer in verdicts(measured)} == {"no_data"}


async def test_what_fails_those_who_try_it_is_aborted(system: System, services: dict[str, Service]):
    async with tried_out(system, services):
        for service in services.values():
            await service.release("1.2.0", ERROR_RATIO="0.5")
        for service in services.values():
            await service.ends(ABORTED)


async def test_what_serves_those_who_try_it_is_promoted(
    system: System, services: dict[str, Service]
):
    async with tried_out(system, services):
        for service in services.values():
            await service.release("1.3.0")
        for service in services.values():
            await service.ends(PROMOTED)
