"""The real Argo Rollouts, asking the real judge about real traffic.

The last tests ask a stub in the judge's place: they show what Argo makes of answers that the
judge must therefore never give.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from cli.demo.observe import ABORTED, HELD, PROMOTED
from components.manifests import platform
from tests.contract.support.service import Service, result, stages, verdicts
from tests.contract.support.stub import serving
from tests.contract.support.system import ANALYSIS_RUN, NAMESPACE, Object, Objects, System, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

RATE = 40.0  # requests per second
MOST_BYTES = 2048
TRAPS = "argo-traps"

PASS, UNDECIDED = b'{"verdict": "pass"}', b'{"verdict": "undecided"}'
ANSWERS = {
    "/undecided": [(200, UNDECIDED)],
    "/empty": [(200, b"")],
    "/nan": [(200, b'{"verdict": "undecided", "ratio": NaN}')],
    "/away-at-first": [(503, b"no healthy upstream"), (200, PASS)],
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def checkout(system: System, objects: Objects, judge: None) -> AsyncIterator[Service]:
    """A service in its first version, under load. Each test releases a version of its own."""
    service = Service(objects, "checkout", "argo", "argo")
    await service.release("1.0.0")
    assert (await service.ended()).outcome == PROMOTED
    await system.load({service.host: RATE})
    yield service
    await system.load({})
    await service.delete()


async def test_each_pass_ends_its_stage_early_and_the_last_promotes(checkout: Service):
    await checkout.release("1.1.0", stages(20, 50))
    assert (await checkout.ended()).outcome == PROMOTED
    runs = await checkout.analysis_runs()
    assert [run["status"]["phase"] for run in runs] == ["Successful", "Successful"]
    for run in runs:
        metric = result(run)
        assert metric["successful"] == 1
        assert metric["count"] < 600
        assert verdicts(metric["measurements"])[-1]["reason"] == "non_inferior"
    assert await checkout.routed() == 0
    assert (await checkout.rollout())["status"]["stableRS"] == (await checkout.rollout())["status"][
        "currentPodHash"
    ]


async def test_a_fail_aborts_and_the_stored_measurement_says_why(checkout: Service):
    await checkout.release("1.2.0", stages(50), ERROR_RATIO="0.5")
    ended = await checkout.ended()
    assert (ended.outcome, ended.weight) == (ABORTED, 0)
    assert await checkout.routed() == 0
    [run] = await checkout.analysis_runs()
    assert run["status"]["phase"] == "Failed"
    stored = result(run)["measurements"][-1]
    assert stored["phase"] == "Failed"
    assert len(stored["value"].encode()) < MOST_BYTES
    [verdict] = verdicts([stored])
    assert verdict["verdict"] == "fail"
    assert verdict["reason"] in {"regression", "slo_burn"}
    assert verdict["version"].startswith("1.2.0-")
    [availability] = verdict["indicators"]
    canary, stable = availability["canary"], availability["stable"]
    assert 3 <= canary["bad"] <= canary["total"]
    assert stable["bad"] / stable["total"] < 0.05
    assert f"({canary['bad']:,} of {canary['total']:,})" in verdict["why"]


async def test_a_stage_without_a_decision_pauses_the_rollout_where_it_is(checkout: Service):
    """Two requests per second say nothing in six seconds: a person decides."""
    await checkout.release("1.3.0", stages(5, seconds=6))
    held = await checkout.ended()
    assert (held.outcome, held.phase, held.weight) == (HELD, "Paused", 5)
    [run] = await checkout.analysis_runs()
    assert run["status"]["phase"] == "Inconclusive"
    answers = verdicts(result(run)["measurements"])
    assert len(answers) == 7  # as it begins, and then every second
    assert {answer["verdict"] for answer in answers} == {"undecided"}
    assert await checkout.routed() == 5
    status = (await checkout.rollout())["status"]
    assert not status.get("abort")
    assert status["stableRS"] != status["currentPodHash"]


class Analyses:
    """The analysis runs of ANALYSES."""

    def __init__(self, objects: Objects):
        self._objects = objects

    async def get(self, name: str) -> Object:
        return await self._objects.get(ANALYSIS_RUN, TRAPS, name)

    async def phase(self, name: str) -> str:
        """How the analysis ends."""
        run = await until(
            lambda: self.get(name),
            lambda run: run.get("status", {}).get("completedAt"),
            f"analysis {name} ends",
        )
        return run["status"]["phase"]


# Each runs the component's own metric, changed where it says so, with the answers of this path.
# None leaves a field out.
ANALYSES: dict[str, tuple[str, dict[str, Any]]] = {
    "empty": ("/empty", {}),
    "nan": ("/nan", {}),
    "only-success": ("/undecided", {"failureCondition": None}),
    "only-failure": ("/undecided", {"successCondition": None}),
    "no-success-limit": ("/undecided", {"consecutiveSuccessLimit": None}),
    "undecided": ("/undecided", {}),
    "away": ("/away-at-first", {}),
    "no-version": ("", {}),
}
ARGUMENTS = {"version": "1.1.0-0a1b2c3d", "weight": "10", "count": "3"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def analyses(objects: Objects, judge: None) -> AsyncIterator[Analyses]:
    """Analysis runs made by hand, all at once, because each takes its time."""
    manifests = Service(objects, "checkout", TRAPS, "argo").manifests("1.0.0")
    template = next(found for found in manifests if found.kind == "AnalysisTemplate")
    await objects.apply(*platform.namespaces(TRAPS))
    with serving(ANSWERS) as stub:
        for name, (path, change) in ANALYSES.items():
            metric = json.loads(json.dumps(template.body["spec"]["metrics"][0])) | change
            if path:
                metric["provider"]["web"]["url"] = f"{stub.url}{path}"
            await objects.apply(_analysis_run(name, metric))
        yield Analyses(objects)
    await objects.delete(NAMESPACE, None, TRAPS)


def _analysis_run(name: str, metric: Object) -> Object:
    values = ARGUMENTS | ({"version": ""} if name == "no-version" else {})
    return {
        "apiVersion": ANALYSIS_RUN.version,
        "kind": "AnalysisRun",
        "metadata": {"name": name, "namespace": TRAPS},
        "spec": {
            "args": [{"name": key, "value": value} for key, value in values.items()],
            "metrics": [{key: value for key, value in metric.items() if value is not None}],
        },
    }


async def test_argo_takes_an_answer_that_is_no_json_for_success(analyses: Analyses):
    """Upstream's trap, and why the judge answers everything with a JSON document without NaN:
    Argo does not even look at the two conditions.
    """
    assert await analyses.phase("empty") == "Successful"
    assert await analyses.phase("nan") == "Successful"


async def test_argo_cannot_wait_with_one_condition_only(analyses: Analyses):
    """Upstream's trap, and why the component always sets both: with one of them an undecided
    verdict aborts or promotes.
    """
    assert await analyses.phase("only-success") == "Failed"
    assert await analyses.phase("only-failure") == "Successful"


async def test_argo_promotes_on_patience_alone_without_a_success_limit(analyses: Analyses):
    """Upstream's trap: a count reached without a single pass is a success, unless passes are
    asked for. The component asks for one.
    """
    assert await analyses.phase("no-success-limit") == "Successful"
    assert await analyses.phase("undecided") == "Inconclusive"


async def test_a_judge_that_answers_5xx_is_asked_again_until_it_answers(analyses: Analyses):
    """An Error decides nothing."""
    assert await analyses.phase("away") == "Successful"
    error, success = result(await analyses.get("away"))["measurements"]
    assert (error["phase"], success["phase"]) == ("Error", "Successful")
    assert "non 2xx response code: 503" in error["message"]


async def test_an_empty_version_is_refused_and_never_promoted(analyses: Analyses):
    """A reference to the pod template resolves to nothing, silently: an arm without a version
    would be all requests.
    """
    run = await until(
        lambda: analyses.get("no-version"),
        lambda run: result(run).get("error"),
        "the judge refuses the question",
    )
    assert run["status"]["phase"] == "Running"
    found = result(run)
    assert not found.get("successful")
    assert "non 2xx response code: 422" in found["measurements"][0]["message"]
