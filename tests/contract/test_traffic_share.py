"""A canary that does not get its stage's share of the requests is held, by either controller, and
goes on when it does. What the controllers make of a route that is edited by hand.

Neither leaves a wrong weight in the route, so the wrong share comes from where it comes from on a
cluster: another route, of a team's own, that leads to one of the two versions only.
"""

import math
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cli.demo.observe import PROMOTED
from components import conventions
from tests.contract.support.pair import Pair, pair
from tests.contract.support.service import Service, stages
from tests.contract.support.system import Object, Objects, System, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLACE = "share"
WEIGHT, EDITED = 20, 60  # percent
TOO_LITTLE, ENOUGH = 2.0, 40.0  # requests per second
TO_PASS = 100  # requests of the canary; none of them fails
REPORTED = f'flagger_canary_weight{{workload="payments",namespace="{PLACE}"}}'


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(system: System, objects: Objects, judge: None) -> AsyncIterator[Pair]:
    """In their only stage, with too few requests to decide on."""
    async with pair(system, objects, PLACE, TOO_LITTLE) as made:
        for service in made:
            for arm in arms(service):
                await objects.apply(past_the_split(service, arm))
        await made.release("1.1.0", stages(WEIGHT))
        await made.reached(WEIGHT)
        yield made


def arms(service: Service) -> tuple[str, str]:
    """The Services of the canary and of stable."""
    stable = conventions.primary(service.name) if service.controller == "flagger" else service.name
    return conventions.canary(service.name), stable


def host(arm: str) -> str:
    return f"{arm}.only.test"


def past_the_split(service: Service, arm: str) -> Object:
    """A route beside the one that the controller moves."""
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": f"only-{arm}", "namespace": service.namespace},
        "spec": {
            "hosts": [host(arm)],
            "gateways": ["istio-system/ingress"],
            "http": [{"route": [{"destination": {"host": arm}}]}],
        },
    }


async def verdicts(services: Pair) -> list[Object]:
    """What the judge last said to Argo, and what it says to Flagger in this stage."""
    question = await services.flagger.question() | {"stage": {"weight": WEIGHT}}
    return [await services.answer(), await services.system.verdict(question)]


def share(verdict: Object) -> float:
    """The canary's share of the requests as the verdict's sentence has it, in percent."""
    found = re.search(r"gets ([\d.]+) % of the requests", verdict["why"])
    return float(found[1]) if found else math.inf


async def held_for_its_share(services: Pair) -> list[str]:
    """Both stages are held for that, though nothing else is missing; what the judge says."""

    def wanting(verdicts: list[Object]) -> bool:
        return all(
            found.get("reason") == "traffic_share"
            and found["indicators"][0]["canary"]["total"] > TO_PASS
            for found in verdicts
        )

    found = await until(lambda: verdicts(services), wanting, "both miss nothing but the share")
    await services.looked_on(await services.looks())
    await services.held_at(WEIGHT)
    assert wanting(await verdicts(services))
    return [each["why"] for each in found]


async def test_argo_takes_an_edit_of_the_route_back(services: Pair):
    await services.argo.route(EDITED)
    await until(services.argo.routed, lambda weight: weight == WEIGHT, "the route is as it was")


async def test_flagger_takes_an_edit_of_the_route_for_its_weight(system: System, services: Pair):
    """It keeps the weight nowhere else: the judge is asked about that stage, and at 0 the release
    begins anew.
    """
    await services.flagger.route(EDITED)
    await until(
        lambda: system.query(REPORTED),
        lambda weights: weights == [EDITED],
        f"Flagger reports {EDITED} %",
    )
    assert await services.flagger.routed() == EDITED
    await services.flagger.route(0)
    await until(services.flagger.routed, lambda weight: weight == WEIGHT, "it begins anew")
    await services.held_at(WEIGHT)


async def test_a_canary_with_far_too_many_requests_is_held(system: System, services: Pair):
    await system.load(
        {
            name: rate
            for service in services
            for name, rate in ((service.host, 10.0), (host(arms(service)[0]), 20.0))
        }
    )
    for why in await held_for_its_share(services):
        assert "% of the requests" in why
        assert why.endswith(f"where its stage gives it {WEIGHT} %: waiting for its share")


async def test_a_canary_with_far_too_few_requests_is_held(system: System, services: Pair):
    await system.load(
        {
            name: rate
            for service in services
            for name, rate in ((service.host, 8.0), (host(arms(service)[1]), 32.0))
        }
    )
    await until(
        lambda: verdicts(services),
        lambda found: all(share(each) < WEIGHT / 2 for each in found),
        "both get about 4 % of the requests",
    )
    for why in await held_for_its_share(services):
        assert why.endswith(f"where its stage gives it {WEIGHT} %: waiting for its share")


async def test_the_releases_go_on_when_the_routing_is_right_again(services: Pair):
    await services.load(ENOUGH)
    await services.ended(PROMOTED)
