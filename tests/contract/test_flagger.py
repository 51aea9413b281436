"""The real Flagger, asking the real judge about real traffic.

Flagger looks every ten seconds at the most, so all tests watch the same two releases: one without
traffic that is held at its first stage, and one that fails half of its requests.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from cli.demo.observe import ABORTED, PROMOTED
from components import conventions
from tests.contract.support.service import Service, stages
from tests.contract.support.system import DEPLOYMENT, Object, Objects, System, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMESPACE = "flagger"
FIRST, SECOND = 20, 50  # percent
RATE = 50.0  # requests per second
TOO_LITTLE = 2.0
ROLLING_BACK = "manual webhook invoked"
THRESHOLD = "failed checks threshold reached"
HOLDING = "waiting for traffic increase approval"


@dataclass(frozen=True)
class Releases:
    """Version 1.1.0 of two services."""

    good: Service
    bad: Service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def releases(system: System, objects: Objects, judge: None) -> AsyncIterator[Releases]:
    good = Service(objects, "payments", NAMESPACE, "flagger")
    bad = Service(objects, "refunds", NAMESPACE, "flagger")
    for service in (good, bad):
        await service.release("1.0.0")
    for service in (good, bad):
        assert (await service.ended()).outcome == PROMOTED
    await system.load({bad.host: RATE})
    await good.release("1.1.0", stages(FIRST, SECOND))
    await bad.release("1.1.0", stages(FIRST, SECOND), ERROR_RATIO="0.5")
    await good.reached(FIRST)
    yield Releases(good, bad)
    await system.load({})
    await bad.leave_flagger()
    await good.delete()


async def held(service: Service) -> Object:
    """The Canary's status, having checked that it is still in the first stage."""
    status = (await service.canary())["status"]
    assert (status["phase"], status["canaryWeight"]) == ("Progressing", FIRST)
    assert await service.routed() == FIRST
    return status


async def test_a_release_gets_its_first_stage_without_any_traffic(releases: Releases):
    """Undecided at weight 0 would hold for ever: there is nothing to decide on."""
    await held(releases.good)


async def test_a_fail_rolls_back_in_the_same_tick(system: System, releases: Releases):
    """By the rollback hook, not by adding up failed checks."""
    ended = await releases.bad.ended()
    assert (ended.outcome, ended.weight) == (ABORTED, 0)
    assert await releases.bad.routed() == 0
    said = system.flagger_said(releases.bad.name, NAMESPACE)
    assert not [line for line in said if THRESHOLD in line]
    [hook] = [index for index, line in enumerate(said) if ROLLING_BACK in line]
    assert said[hook + 1].startswith("Canary failed! Scaling down")
    verdict = await system.verdict(await releases.bad.question())
    assert verdict["verdict"] == "fail"


async def test_an_undecided_stage_is_held_without_a_failed_check(
    system: System, releases: Releases
):
    await system.load({releases.good.host: TOO_LITTLE})
    question = await releases.good.question()
    await until(
        lambda: system.verdict(question),
        lambda verdict: verdict["reason"] == "gathering",
        "the judge has counts, but too few",
    )
    before = await held(releases.good)
    told = len(system.flagger_said(releases.good.name, NAMESPACE))

    async def since() -> list[str]:
        return system.flagger_said(releases.good.name, NAMESPACE)[told:]

    lines = await until(
        since,
        lambda lines: sum(HOLDING in line for line in lines) >= 2,
        "Flagger asks twice and holds",
    )
    assert not [line for line in lines if "failed" in line]
    after = await held(releases.good)
    assert after.get("failedChecks", 0) == before.get("failedChecks", 0)


async def test_without_a_judge_nothing_is_rolled_back_or_promoted(
    objects: Objects, system: System, releases: Releases
):
    before = (await held(releases.good)).get("failedChecks", 0)
    await _scale_judge(objects, 0)

    async def failed_checks() -> int:
        return (await releases.good.canary())["status"].get("failedChecks", 0)

    await until(failed_checks, lambda count: count > before, "Flagger misses the judge")
    await held(releases.good)
    await _scale_judge(objects, 2)
    await until(system.judge_answers, bool, "the judge is back")
    await held(releases.good)


async def test_a_good_release_is_promoted_through_its_stages(system: System, releases: Releases):
    """After all that the tests above did to it."""
    await system.load({releases.good.host: RATE})
    assert (await releases.good.ended()).outcome == PROMOTED
    assert await releases.good.routed() == 0
    said = system.flagger_said(releases.good.name, NAMESPACE)
    advances = [line for line in said if line.startswith("Advance")]
    assert advances == [
        f"Advance {releases.good.name}.{NAMESPACE} canary weight {weight}"
        for weight in (FIRST, SECOND)
    ]
    assert not [line for line in said if line.startswith("Rolling back")]


async def test_a_service_taken_from_flagger_gets_its_pods_back(releases: Releases):
    """Between releases its own Deployment idles at zero."""
    await until(
        releases.good.deployment,
        lambda found: found["spec"]["replicas"] == 0,
        "Flagger lets the service's own Deployment idle",
    )
    await releases.good.leave_flagger()
    assert (await releases.good.deployment())["spec"]["replicas"] == 1


async def _scale_judge(objects: Objects, replicas: int) -> None:
    """As a person would, and until it is so."""
    name, namespace = conventions.JUDGE, conventions.PLATFORM_NAMESPACE
    await objects.patch(DEPLOYMENT, namespace, name, {"spec": {"replicas": replicas}})
    await until(
        lambda: objects.get(DEPLOYMENT, namespace, name),
        lambda found: found["status"].get("readyReplicas", 0) == replicas,
        f"{replicas} replicas of the judge are ready",
    )
