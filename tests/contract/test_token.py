"""The judge demands a bearer token, and the real Argo Rollouts sends it: both read it from their
own Secret, which may be wrong, missing or replaced while a release is under way.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio

from cli.demo.observe import ABORTED, PROMOTED
from components import conventions
from tests.contract.support import judge as deployment
from tests.contract.support.service import Service, result, stages
from tests.contract.support.system import (
    ANALYSIS_RUN,
    EVENT,
    NAMESPACE,
    ROLLOUT,
    SECRET,
    Object,
    Objects,
    System,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVICES, PLATFORM = "token", conventions.PLATFORM_NAMESPACE
NAME = "judge-token"
OLD, NEW, WRONG = "old-0a1b2c3d", "new-4e5f6071", "wrong-8293a4b5"
RATE = 40.0  # requests per second
WEIGHT = 50


@dataclass(frozen=True)
class Platform:
    """The judge with its token, and its Secret in both namespaces."""

    system: System
    objects: Objects

    async def write(self, namespace: str, value: str, name: str = NAME, key: str = "token") -> None:
        data = {key: base64.b64encode(value.encode()).decode()}
        metadata = {"name": name, "namespace": namespace}
        await self.objects.apply(
            {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
        )

    async def statuses(self, token: str | None = None) -> set[int]:
        """What the judge's ready replicas answer to who asks for a verdict with this token. What is
        asked is no question: 422 is the answer to who may ask.
        """
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answers: set[int] = set()
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            for pod in await deployment.pods(self.objects):
                if not _ready(pod):
                    continue
                host = self.system.network.loopback(pod["status"]["podIP"])
                url = f"http://{host}:{conventions.CONTAINER_PORT}{conventions.VERDICT_PATH}"
                answers.add((await client.post(url, json={}, headers=headers)).status_code)
        return answers

    async def accepts(self, token: str) -> None:
        await until(
            lambda: self.statuses(token), lambda found: found == {422}, f"{token} is accepted"
        )

    async def refuses(self, token: str) -> None:
        await until(
            lambda: self.statuses(token), lambda found: found == {401}, f"{token} is refused"
        )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def platform(system: System, objects: Objects, judge: None) -> AsyncIterator[Platform]:
    """Other tests find the judge without a token again."""
    yield Platform(system, objects)
    await deployment.declare(objects)
    await deployment.rolled_out(objects)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def early(platform: Platform) -> AsyncIterator[Service]:
    """A service whose release is under way before there is a token."""
    service = Service(platform.objects, "early", "token-early", "argo")
    await service.release("1.0.0")
    assert (await service.ended()).outcome == PROMOTED
    await held(service, "1.1.0")
    yield service
    await service.delete()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demanding(platform: Platform) -> Platform:
    """The judge with its token."""
    await platform.write(PLATFORM, OLD)
    await deployment.declare(platform.objects, NAME)
    await deployment.rolled_out(platform.objects)
    return platform


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def checkout(demanding: Platform) -> AsyncIterator[Service]:
    settings = {"judgeTokenSecret": NAME}
    service = Service(demanding.objects, "checkout", SERVICES, "argo", settings=settings)
    await service.release("1.0.0")
    await demanding.write(SERVICES, OLD)
    assert (await service.ended()).outcome == PROMOTED
    yield service
    await demanding.system.load({})
    await service.delete()


@pytest_asyncio.fixture(loop_scope="session")
async def load(demanding: Platform, checkout: Service) -> None:
    """Traffic enough to decide."""
    await demanding.system.load({checkout.host: RATE})


@pytest_asyncio.fixture(loop_scope="session")
async def quiet(demanding: Platform, checkout: Service) -> None:
    """No traffic: a release stays where it is. Argo has the right token."""
    await demanding.system.load({})
    await demanding.write(SERVICES, OLD)
    await demanding.write(PLATFORM, OLD)
    await demanding.accepts(OLD)


async def begun(service: Service, tag: str) -> None:
    """Release a version; done when Argo has begun to ask about it."""
    await service.release(tag, stages(WEIGHT))
    await until(
        service.analysis_runs,
        lambda runs: runs and tag in json.dumps(runs[-1]["spec"]["args"]),
        f"the analysis of {tag} begins",
    )


async def held(service: Service, tag: str) -> None:
    """Release a version that the judge has no requests of."""
    await begun(service, tag)
    await looked_on(service)


async def looked_on(checkout: Service) -> None:
    """The judge has answered Argo again, and decided nothing."""

    async def undecided() -> int:
        return result((await checkout.analysis_runs())[-1]).get("inconclusive", 0)

    before = await undecided()
    await until(undecided, lambda now: now > before + 1, f"more than {before} undecided verdicts")


def _ready(pod: Object) -> bool:
    return all(each["ready"] for each in pod["status"].get("containerStatuses", [{"ready": False}]))


async def unmoved(checkout: Service) -> None:
    found = await checkout.snapshot()
    assert (found.phase, found.weight, found.outcome) == ("Progressing", WEIGHT, None)
    assert await checkout.routed() == WEIGHT


async def test_until_its_secret_is_there_the_judge_goes_on_without_a_token(
    platform: Platform, early: Service
):
    before = {pod["metadata"]["name"] for pod in await deployment.pods(platform.objects)}
    await deployment.declare(platform.objects, NAME)

    async def failed_mounts() -> list[Object]:
        events = await platform.objects.list(EVENT, PLATFORM)
        return [each for each in events if each["reason"] == "FailedMount"]

    [event] = await until(failed_mounts, bool, "a pod of the judge misses the Secret")
    assert event["message"] == f"volume tokens: secret {NAME} does not exist"
    found = {pod["metadata"]["name"]: pod for pod in await deployment.pods(platform.objects)}
    assert before < found.keys()
    [fresh] = found.keys() - before
    [status] = found[fresh]["status"]["containerStatuses"]
    assert status["state"]["waiting"]["reason"] == "ContainerCreating"
    assert await platform.statuses() == {422}
    await looked_on(early)

    await platform.write(PLATFORM, OLD)
    after = await deployment.rolled_out(platform.objects)
    assert before.isdisjoint(pod["metadata"]["name"] for pod in after)
    assert await platform.statuses() == {401}


async def test_a_stage_that_began_without_the_token_is_held_until_it_begins_again(
    early: Service, demanding: Platform
):
    """Argo asks as the template was when the stage began."""
    measured = await until(
        early.measurements, lambda found: found[-1]["phase"] == "Error", "the judge refuses"
    )
    assert "non 2xx response code: 401" in measured[-1]["message"]
    await unmoved(early)
    await demanding.write(early.namespace, OLD)
    early.settings["judgeTokenSecret"] = NAME
    await early.release("1.1.0", stages(WEIGHT))
    [run] = await early.analysis_runs()
    await demanding.objects.delete(ANALYSIS_RUN, early.namespace, run["metadata"]["name"])
    await until(
        early.measurements,
        lambda found: found and found[-1]["phase"] == "Inconclusive",
        "the stage begins again, with the token",
    )
    [again] = await early.analysis_runs()
    assert again["metadata"]["uid"] != run["metadata"]["uid"]
    assert "error" not in result(again)
    await unmoved(early)


async def test_without_a_token_of_the_judges_there_is_no_verdict(demanding: Platform):
    assert await demanding.statuses() == {401}
    assert await demanding.statuses(WRONG) == {401}
    assert await demanding.statuses(OLD) == {422}
    assert await demanding.system.judge_answers()  # /readyz is open


async def test_a_good_release_is_promoted_and_the_token_is_written_nowhere(
    demanding: Platform, checkout: Service, load: None
):
    await checkout.release("1.1.0", stages(WEIGHT))
    assert (await checkout.ended()).outcome == PROMOTED
    [run] = await checkout.analysis_runs()
    assert run["status"]["phase"] == "Successful"
    assert "error" not in result(run)
    assert OLD not in json.dumps([run, await checkout.rollout()])
    folder = demanding.system.layout.sandbox
    logs = [folder / "logs" / "argo-rollouts.log", *folder.glob("pods/*judge*/*.log")]
    assert len(logs) > 1
    for log in logs:
        assert OLD not in log.read_text()


async def test_with_a_wrong_token_a_release_is_held_and_goes_on_with_the_right_one(
    demanding: Platform, checkout: Service, load: None
):
    await demanding.write(SERVICES, WRONG)
    await begun(checkout, "1.2.0")
    measured = await until(
        checkout.measurements, lambda found: len(found) > 1, "the judge refuses twice"
    )
    for measurement in measured:
        assert measurement["phase"] == "Error"
        assert "non 2xx response code: 401" in measurement["message"]
    await unmoved(checkout)
    await demanding.write(SERVICES, OLD)
    assert (await checkout.ended()).outcome == PROMOTED
    [run] = await checkout.analysis_runs()
    assert result(run)["error"] >= 2


async def test_an_api_server_that_is_killed_takes_no_release_back(
    demanding: Platform, checkout: Service, quiet: None
):
    """Argo cannot read the Secret, for which it would abort; nor can it write that it aborts."""
    await held(checkout, "1.3.0")
    demanding.system.kill("kube-apiserver")
    await asyncio.sleep(5)  # Argo tries more than once
    await demanding.system.up()
    await looked_on(checkout)
    await unmoved(checkout)


async def test_a_secret_that_argo_cannot_read_aborts_the_release_until_it_is_retried(
    demanding: Platform, checkout: Service, quiet: None
):
    """Argo's own rule, and why the Secrets come before the setting."""
    await held(checkout, "1.4.0")
    await demanding.objects.delete(SECRET, SERVICES, NAME)
    ended = await checkout.ended()
    assert (ended.outcome, ended.weight) == (ABORTED, 0)
    [run] = await checkout.analysis_runs()
    assert run["status"]["phase"] == "Error"
    assert run["status"]["message"] == (
        f'Unable to resolve metric arguments: secrets "{NAME}" not found'
    )
    assert f'secrets "{NAME}" not found' in ended.message  # where the operator reads it

    await demanding.write(SERVICES, OLD)
    retry = {"status": {"abort": False}}  # kubectl argo rollouts retry rollout
    await demanding.objects.patch(ROLLOUT, SERVICES, f"{checkout.name}/status", retry)
    await demanding.system.load({checkout.host: RATE})
    await checkout.ends(PROMOTED)


async def test_a_token_is_replaced_while_a_release_is_under_way(
    demanding: Platform, checkout: Service, quiet: None
):
    await held(checkout, "1.5.0")
    await demanding.write(PLATFORM, f"{OLD}\n{NEW}\n")
    await demanding.accepts(NEW)
    await demanding.write(SERVICES, NEW)
    await looked_on(checkout)
    await demanding.write(PLATFORM, NEW)
    await demanding.refuses(OLD)
    await looked_on(checkout)
    await demanding.system.load({checkout.host: RATE})
    assert (await checkout.ended()).outcome == PROMOTED
    [run] = await checkout.analysis_runs()
    assert "error" not in result(run)


# Each asks with the token of the Secret of this name: its key, and what is in it.
SECRETS = {"no-key": ("tokn", OLD), "empty": ("token", ""), "line-end": ("token", f"{OLD}\n")}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def analyses(demanding: Platform, checkout: Service) -> AsyncIterator[list[Object]]:
    """Analysis runs made by hand, all at once, once each has been measured or ended."""
    objects, namespace = demanding.objects, "token-analyses"
    await objects.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    manifests = checkout.manifests("1.0.0")
    template = next(found.body for found in manifests if found.kind == "AnalysisTemplate")
    for name, (key, value) in SECRETS.items():
        await demanding.write(namespace, value, name, key)
        reference = {"secretKeyRef": {"name": name, "key": conventions.TOKEN_KEY}}
        args = [
            {"name": "version", "value": "1.1.0-0a1b2c3d"},
            {"name": "weight", "value": "50"},
            {"name": "count", "value": "3"},
            {"name": "token", "valueFrom": reference},
        ]
        await objects.apply(
            {
                "apiVersion": ANALYSIS_RUN.version,
                "kind": "AnalysisRun",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"args": args, "metrics": template["spec"]["metrics"]},
            }
        )
    yield await until(
        lambda: objects.list(ANALYSIS_RUN, namespace),
        lambda found: all(result(run) or run.get("status", {}).get("message") for run in found),
        "each analysis has asked",
    )
    await objects.delete(NAMESPACE, None, namespace)


async def test_only_a_key_that_is_missing_ends_an_analysis(analyses: list[Object]):
    """What is in it may be wrong: an Error decides nothing, and Argo asks again."""
    found = {run["metadata"]["name"]: run for run in analyses}
    assert found["no-key"]["status"]["phase"] == "Error"
    assert "key 'token' does not exist in secret 'no-key'" in found["no-key"]["status"]["message"]
    for name, why in (("empty", "401"), ("line-end", "invalid header field value")):
        assert found[name]["status"]["phase"] == "Running"
        assert why in result(found[name])["measurements"][0]["message"]


async def test_a_stage_goes_on_when_the_token_is_taken_away(
    demanding: Platform, checkout: Service, quiet: None
):
    """The last test: the judge demands nothing any more."""
    await held(checkout, "1.6.0")
    await deployment.declare(demanding.objects)
    await deployment.rolled_out(demanding.objects)
    assert await demanding.statuses() == {422}
    await looked_on(checkout)
    await unmoved(checkout)
    [run] = await checkout.analysis_runs()
    assert "error" not in result(run)
