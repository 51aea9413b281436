"""A canary by Argo Rollouts: stages, the judge's part in them, and the ways not to fail open."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.manifests import argo, workload
from components.manifests.manifest import Manifest
from components.spec.service import ServiceSpec, resolve
from components.spec.site import Site
from plugin.question import Question

MakeSpec = Callable[..., ServiceSpec]
Objects = Callable[..., dict[str, Manifest]]


@pytest.fixture
def rollout(make_objects: Objects) -> dict[str, Any]:
    return make_objects()["Rollout/checkout"].body["spec"]


@pytest.fixture
def canary(rollout: dict[str, Any]) -> dict[str, Any]:
    return rollout["strategy"]["canary"]


@pytest.fixture
def metric(make_objects: Objects) -> dict[str, Any]:
    (only,) = make_objects()["AnalysisTemplate/checkout-slo"].body["spec"]["metrics"]
    return only


def arguments(step: dict[str, Any]) -> dict[str, str]:
    return {arg["name"]: arg["value"] for arg in step["analysis"]["args"]}


def asked(metric: dict[str, Any], args: dict[str, str]) -> Question:
    """The question as the judge gets it, once Argo has put the arguments in."""

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(inner) for key, inner in value.items()}
        for name, given_value in args.items():
            value = (
                value.replace(f"{{{{args.{name}}}}}", given_value)
                if isinstance(value, str)
                else value
            )
        return value

    return Question.model_validate(fill(metric["provider"]["web"]["jsonBody"]))


def test_every_stage_moves_the_weight_and_then_asks(canary: dict[str, Any]) -> None:
    """`setWeight` alone does not wait: a stage without its analysis would be no stage."""
    weights, analyses = canary["steps"][::2], canary["steps"][1::2]
    assert [step["setWeight"] for step in weights] == [10, 30, 60]
    assert [arguments(step)["weight"] for step in analyses] == ["10", "30", "60"]
    templates = [step["analysis"]["templates"] for step in analyses]
    assert templates == [[{"templateName": "checkout-slo"}]] * 3


WEIGHTS = (5, 10, 20, 40, 60, 90)


@given(
    interval=st.integers(1, 300),
    times=st.lists(st.integers(1, 7200), min_size=1, max_size=len(WEIGHTS)),
)
def test_measurements_fill_the_time_of_a_stage_and_no_more(interval: int, times: list[int]) -> None:
    site = Site.model_validate(
        {
            "controller": "argo",
            "namespace": "shop",
            "domain": "local",
            "gateway": "istio-system/ingress",
            "analysisInterval": f"{interval}s",
            "stages": [
                {"weight": weight, "time": f"{time}s"}
                for weight, time in zip(WEIGHTS, times, strict=False)
            ],
        }
    )
    spec = resolve("checkout", {"image": "x:1", "slo": {"availability": 99.0}}, site)
    (manifest,) = [each for each in argo.objects(spec) if each.kind == "Rollout"]
    steps = manifest.body["spec"]["strategy"]["canary"]["steps"]
    assert [step["setWeight"] for step in steps[::2]] == list(WEIGHTS[: len(times)])
    for step, time in zip(steps[1::2], times, strict=True):
        count = int(arguments(step)["count"])
        assert (count - 2) * interval < time <= (count - 1) * interval


@given(interval=st.integers(1, 300), time=st.integers(1, 7200))
def test_a_deadline_the_judge_decides_is_within_the_analysis(interval: int, time: int) -> None:
    """The judge sees the stage begin a scrape later, and counts the seconds with requests only."""
    site = Site.model_validate(
        {
            "controller": "argo",
            "namespace": "shop",
            "domain": "local",
            "gateway": "istio-system/ingress",
            "analysisInterval": f"{interval}s",
            "stages": [{"weight": 10, "time": f"{time}s"}],
        }
    )
    args = {"image": "x:1", "slo": {"availability": 99.0}, "policy": {"on_undecided": "promote"}}
    (manifest,) = [each for each in argo.objects(resolve("x", args, site)) if each.wave == 1]
    _, analysis = manifest.body["spec"]["strategy"]["canary"]["steps"]
    assert (int(arguments(analysis)["count"]) - 1) * interval >= 1.25 * time + 179


WINDOWS = [{"days": ["mon"], "hours": "09:00-16:30"}]


@pytest.mark.parametrize("policy", [{"freeze": True}, {"windows": WINDOWS}])
def test_a_release_that_may_have_to_wait_waits_at_weight_0(
    make_objects: Objects, policy: dict[str, Any]
) -> None:
    """Before its first traffic, by the same metric that cannot fail open, for weeks if need be."""
    objects = make_objects(policy=policy)
    canary = objects["Rollout/checkout"].body["spec"]["strategy"]["canary"]
    weight, gate, *stages = canary["steps"]
    assert weight == {"setWeight": 0}
    assert gate["analysis"]["templates"] == [{"templateName": "checkout-slo"}]
    assert arguments(gate)["weight"] == "0"
    assert int(arguments(gate)["count"]) * 30 >= 28 * 24 * 3600
    assert [step["setWeight"] for step in stages[::2]] == [10, 30, 60]
    (metric,) = objects["AnalysisTemplate/checkout-slo"].body["spec"]["metrics"]
    question = asked(metric, arguments(gate))
    assert question.stage.weight == 0
    assert question.policy.freeze or question.policy.windows


@pytest.mark.parametrize("policy", [{}, {"freeze": True, "windows": WINDOWS, "fix": "1.8.0"}])
def test_a_release_that_need_not_wait_has_no_step_for_it(
    make_objects: Objects, policy: dict[str, Any]
) -> None:
    canary = make_objects(policy=policy)["Rollout/checkout"].body["spec"]["strategy"]["canary"]
    assert canary["steps"][0] == {"setWeight": 10}


def test_the_version_is_a_literal_of_the_same_release(
    make_spec: MakeSpec, canary: dict[str, Any]
) -> None:
    """A reference to the template's label resolves to "" and would compare nothing with all."""
    version = workload.version(make_spec())
    assert {arguments(step)["version"] for step in canary["steps"][1::2]} == {version}


def test_the_question_is_one_the_judge_understands(
    make_spec: MakeSpec, canary: dict[str, Any], metric: dict[str, Any]
) -> None:
    question = asked(metric, arguments(canary["steps"][1]))
    assert question.service == "checkout"
    assert question.namespace == "shop"
    assert question.stage.weight == 10
    assert question.arms.canary.version == workload.version(make_spec())
    assert question.arms.stable.not_version == question.arms.canary.version
    assert [objective.name for objective in question.slo.objectives] == ["availability", "latency"]


def test_placeholders_stand_only_inside_strings_that_are_declared_arguments(
    make_objects: Objects, metric: dict[str, Any]
) -> None:
    """Argo drops an argument that the template does not declare, and keeps the placeholder."""
    declared = make_objects()["AnalysisTemplate/checkout-slo"].body["spec"]["args"]
    assert {arg["name"] for arg in declared} == {"version", "weight", "count"}
    body = metric["provider"]["web"]["jsonBody"]
    assert body["arms"]["canary"]["version"] == "{{args.version}}"
    assert body["arms"]["stable"]["not_version"] == "{{args.version}}"
    assert body["stage"]["weight"] == "{{args.weight}}"


def test_the_version_has_no_default(make_objects: Objects) -> None:
    """A run that was not told its version must not start."""
    declared = make_objects()["AnalysisTemplate/checkout-slo"].body["spec"]["args"]
    assert {"name": "version"} in declared


def test_the_count_has_a_default_argo_can_check(make_objects: Objects) -> None:
    """Argo checks the template before a stage tells its count, and refuses a word."""
    declared = make_objects()["AnalysisTemplate/checkout-slo"].body["spec"]["args"]
    (count,) = [arg["value"] for arg in declared if arg["name"] == "count"]
    assert int(count) >= 1


def test_only_a_pass_passes_and_only_a_fail_fails(metric: dict[str, Any]) -> None:
    """With a condition missing, Argo takes what the other does not catch for success."""
    assert metric["successCondition"] == 'result.verdict == "pass"'
    assert metric["failureCondition"] == 'result.verdict == "fail"'


def test_a_stage_without_a_pass_is_inconclusive(metric: dict[str, Any]) -> None:
    """Without a required success, reaching the count with nothing but doubt counts as success."""
    assert metric["consecutiveSuccessLimit"] == 1
    assert metric["inconclusiveLimit"] == metric["count"] == "{{args.count}}"
    assert metric["failureLimit"] == 0


def test_a_day_without_a_judge_aborts_nothing(metric: dict[str, Any]) -> None:
    retry_seconds = 10  # Argo's own, whatever the interval
    assert metric["consecutiveErrorLimit"] * retry_seconds >= 24 * 3600


def test_the_judge_is_asked_by_its_name_in_the_cluster(metric: dict[str, Any]) -> None:
    web = metric["provider"]["web"]
    assert web["method"] == "POST"
    assert web["url"] == "http://judge.sluice-system.svc/v1/verdict"
    assert web["timeoutSeconds"] == 10


def test_pods_that_never_become_ready_end_the_rollout(rollout: dict[str, Any]) -> None:
    """By default Argo lets them hang for ever."""
    assert rollout["progressDeadlineAbort"] is True
    assert rollout["progressDeadlineSeconds"] > 0


def test_no_release_skips_its_stages(rollout: dict[str, Any]) -> None:
    """A rollback window would also wave an aborted release through on its second try."""
    assert "rollbackWindow" not in rollout


def test_the_stable_version_stays_whole_and_ready(canary: dict[str, Any]) -> None:
    assert "dynamicStableScale" not in canary
    assert canary["minPodsPerReplicaSet"] == 2
    assert canary["scaleDownDelaySeconds"] >= 30
    assert canary["abortScaleDownDelaySeconds"] >= 30


def test_the_route_splits_between_the_two_services(
    make_objects: Objects, canary: dict[str, Any]
) -> None:
    objects = make_objects()
    route = objects["VirtualService/checkout"].body["spec"]
    assert route["hosts"] == ["checkout.local", "checkout"]
    assert route["gateways"] == ["istio-system/ingress", "mesh"]
    (http,) = route["http"]
    assert canary["trafficRouting"]["istio"]["virtualService"] == {
        "name": "checkout",
        "routes": [http["name"]],
    }
    hosts = {entry["destination"]["host"]: entry["weight"] for entry in http["route"]}
    assert hosts == {canary["stableService"]: 100, canary["canaryService"]: 0}
    for host in hosts:
        service = objects[f"Service/{host}"]
        assert service.body["spec"]["selector"] == {"app": "checkout"}


def test_a_caller_outside_the_mesh_gets_no_canary(canary: dict[str, Any]) -> None:
    """NAME, which everybody can resolve, is the stable Service."""
    assert canary["stableService"] == "checkout"


def test_what_argo_writes_is_left_to_argo(make_objects: Objects) -> None:
    objects = make_objects()
    controlled = {key: manifest.controlled for key, manifest in objects.items()}
    assert controlled.pop("VirtualService/checkout") == ("spec.http",)
    assert controlled.pop("Service/checkout") == ("spec.selector",)
    assert controlled.pop("Service/checkout-canary") == ("spec.selector",)
    assert not any(controlled.values())


def test_services_argo_narrows_are_not_waited_for(make_objects: Objects) -> None:
    """In the middle of a rollout they may have no ready endpoint; `pulumi up` would hang."""
    objects = make_objects()
    for name in ("Service/checkout", "Service/checkout-canary"):
        assert objects[name].body["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}


def test_the_rollout_comes_last(make_objects: Objects) -> None:
    """A Rollout that misses one of its objects is invalid and retried only every 20 s."""
    objects = make_objects()
    last = objects.pop("Rollout/checkout").wave
    assert all(manifest.wave < last for manifest in objects.values())


def test_an_autoscaler_takes_over_the_number_of_pods(make_objects: Objects) -> None:
    objects = make_objects(replicas={"min": 2, "max": 6})
    assert "replicas" not in objects["Rollout/checkout"].body["spec"]
    scaler = objects["HorizontalPodAutoscaler/checkout"].body["spec"]
    assert scaler["scaleTargetRef"] == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "name": "checkout",
    }
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 6)


@pytest.mark.parametrize("replicas", [{}, {"min": 3}, {"min": 3, "max": 3}])
def test_a_fixed_number_of_pods_needs_no_autoscaler(
    make_objects: Objects, replicas: dict[str, int]
) -> None:
    objects = make_objects(replicas=replicas)
    assert objects["Rollout/checkout"].body["spec"]["replicas"] == replicas.get("min", 2)
    assert "HorizontalPodAutoscaler/checkout" not in objects


def test_argo_sends_the_token_that_the_judge_demands(make_site: Callable[..., Site]) -> None:
    """From the Secret beside the Rollout, in a header: the question is stored in each AnalysisRun,
    and so would be a token in it. The stages do not set it, or theirs would replace it.
    """
    site = make_site(judgeTokenSecret="judge-token")
    args = {"image": "shop/checkout:1.8.0", "slo": {"availability": 99.0}}
    objects = {each.kind: each.body["spec"] for each in argo.objects(resolve("x", args, site))}
    template = objects["AnalysisTemplate"]
    (token,) = [arg for arg in template["args"] if arg["name"] == "token"]
    reference = {"secretKeyRef": {"name": "judge-token", "key": "token"}}
    assert token == {"name": "token", "valueFrom": reference}
    (metric,) = template["metrics"]
    web = metric["provider"]["web"]
    assert web["headers"] == [{"key": "Authorization", "value": "Bearer {{args.token}}"}]
    assert "args.token" not in str(web["jsonBody"])
    for step in objects["Rollout"]["strategy"]["canary"]["steps"][1::2]:
        assert "token" not in arguments(step)


def test_without_a_token_nothing_is_sent_and_no_secret_is_read(
    make_objects: Objects, metric: dict[str, Any]
) -> None:
    """Argo aborts a release whose analysis names a Secret that is not there."""
    assert "headers" not in metric["provider"]["web"]
    args = make_objects()["AnalysisTemplate/checkout-slo"].body["spec"]["args"]
    assert not any("valueFrom" in arg for arg in args)
