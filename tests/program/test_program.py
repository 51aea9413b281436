"""The whole program: which resources it declares, in which order, and with which options."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

STACKS = ["local", "prod"]
JUDGED = {"checkout", "payments"}

Run = Callable[..., list[Any]]


def one(registered: list[Any], kind: str, name: str) -> Any:
    (found,) = [each for each in registered if (each.type, each.name) == (kind, name)]
    return found


def question(registered: list[Any], service: str) -> dict[str, Any]:
    """What the service's controller asks the judge."""
    (asks,) = [
        each.inputs["spec"]
        for each in registered
        if each.type.endswith((":AnalysisTemplate", ":Canary"))
        and each.parent.endswith(f"::{service}")
    ]
    if "metrics" in asks:
        return asks["metrics"][0]["provider"]["web"]["jsonBody"]
    return json.loads(asks["analysis"]["webhooks"][0]["metadata"]["request"])


@pytest.mark.parametrize("stack", STACKS)
def test_no_two_resources_share_a_urn(run: Run, stack: str) -> None:
    """The engine refuses a second resource of the same URN; mocks do not."""
    counts = Counter(each.urn for each in run(stack))
    assert [urn for urn, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("stack", STACKS)
def test_a_preview_shows_everything_that_up_would_make(run: Run, stack: str) -> None:
    """A resource born inside `apply` would be missing as long as an output is unknown."""
    previewed = {each.urn: each.inputs for each in run(stack, preview=True)}
    made = {each.urn: each.inputs for each in run(stack)}
    assert previewed == made


@pytest.mark.parametrize("stack", STACKS)
def test_every_object_belongs_to_a_component(run: Run, stack: str) -> None:
    registered = run(stack)
    components = {each.urn for each in registered if each.type.startswith("sluice:")}
    assert {urn.rsplit("::", 1)[1] for urn in components} == {
        "platform",
        "checkout",
        "payments",
        "inventory",
    }
    objects = [each for each in registered if each.urn not in components]
    assert {each.parent for each in objects} == components


def test_a_stack_chooses_where_a_services_requests_are_counted(run: Run) -> None:
    """For the judge and the rules alike, on both controllers. It is no release: pods stay."""
    before = {each.urn: each for each in run("local", services={})}
    chosen = {name: {"slo": {"metrics": "prom-client"}} for name in JUDGED}
    after = {each.urn: each for each in run("local", services=chosen)}
    for name in JUDGED:
        assert question([*before.values()], name)["metrics"] == "istio"
        assert question([*after.values()], name)["metrics"] == "prom-client"
    changed = {one.type.rsplit(":")[-1] for urn, one in after.items() if one != before[urn]}
    assert changed == {"AnalysisTemplate", "Canary", "PrometheusRule"}
    rules = [each for each in after.values() if each.type.endswith(":PrometheusRule")]
    assert len(rules) == 2
    for each in rules:
        text = json.dumps(each.inputs)
        assert "http_requests_total" in text
        assert "istio_" not in text


@pytest.mark.parametrize("stack", STACKS)
def test_every_object_names_the_plugin_version(run: Run, stack: str) -> None:
    """Without it the engine may take any version of the Kubernetes plugin that lies about."""
    objects = [each for each in run(stack) if each.type.startswith("kubernetes:")]
    assert {each.version for each in objects} != {""}
    assert len({each.version for each in objects}) == 1


def test_each_controller_gets_its_own_kind_from_the_same_call(run: Run) -> None:
    kinds: dict[str, set[str]] = {}
    for each in run("local"):
        kinds.setdefault(each.parent.rsplit("::", 1)[1], set()).add(each.type.rsplit(":", 1)[1])
    assert {"Rollout", "AnalysisTemplate", "VirtualService"} <= kinds["checkout"]
    assert {"Deployment", "Canary"} <= kinds["payments"]
    assert not {"Service", "VirtualService"} & kinds["payments"]
    assert not {"Rollout", "Canary"} & kinds["inventory"]


def test_core_objects_have_the_types_of_the_kubernetes_package(run: Run) -> None:
    """`v1` alone is no module there; under another type every object would be replaced."""
    types = {each.type for each in run("local") if each.type.startswith("kubernetes:")}
    assert {
        "kubernetes:core/v1:Namespace",
        "kubernetes:core/v1:Service",
        "kubernetes:apps/v1:Deployment",
        "kubernetes:policy/v1:PodDisruptionBudget",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        "kubernetes:argoproj.io/v1alpha1:Rollout",
        "kubernetes:flagger.app/v1beta1:Canary",
        "kubernetes:networking.istio.io/v1:VirtualService",
    } <= types


def test_what_controllers_write_is_ignored(run: Run) -> None:
    """`up` in the middle of a rollout must not reset weights, selectors or replicas."""
    ignored = {
        (each.type.rsplit(":", 1)[1], each.name): each.ignored
        for each in run("local")
        if each.ignored
    }
    assert ignored == {
        ("VirtualService", "checkout"): ("spec.http",),
        ("Service", "checkout"): ("spec.selector",),
        ("Service", "checkout-canary"): ("spec.selector",),
        ("Deployment", "payments"): ("spec.replicas",),
    }


def test_a_rollout_depends_on_everything_it_names(run: Run) -> None:
    """Also what makes `destroy` take the Rollout first, while its Services still stand."""
    registered = run("local")
    rollout = one(registered, "kubernetes:argoproj.io/v1alpha1:Rollout", "checkout")
    siblings = {each.urn for each in registered if each.parent == rollout.parent} - {rollout.urn}
    assert siblings <= rollout.dependencies


def test_a_canary_depends_on_its_deployment(run: Run) -> None:
    registered = run("local")
    canary = one(registered, "kubernetes:flagger.app/v1beta1:Canary", "payments")
    deployment = one(registered, "kubernetes:apps/v1:Deployment", "payments")
    assert deployment.urn in canary.dependencies


@pytest.mark.parametrize("service", ["checkout", "payments", "inventory"])
def test_services_stand_on_the_platform(run: Run, service: str) -> None:
    """Their own dependencies say so, because a component's are not inherited on `destroy`."""
    registered = run("local")
    platform = {each.urn for each in registered if each.parent.endswith("::platform")}
    objects = [each for each in registered if each.parent.endswith(f"::{service}")]
    assert objects
    assert all(platform <= each.dependencies for each in objects)


def test_the_judge_waits_for_its_namespace(run: Run) -> None:
    registered = run("local")
    namespace = one(registered, "kubernetes:core/v1:Namespace", "sluice-system")
    judge = one(registered, "kubernetes:apps/v1:Deployment", "judge")
    assert namespace.urn in judge.dependencies


def test_a_release_is_an_overlay_of_image_and_environment(run: Run) -> None:
    """This is how the demo, and a pipeline, ship a version to one stack."""
    before = one(run("local"), "kubernetes:argoproj.io/v1alpha1:Rollout", "checkout")
    after = one(
        run(
            "local",
            services={"checkout": {"image": "sluice/demo-app:1.1.0", "env": {"ERROR_RATE": 0.05}}},
        ),
        "kubernetes:argoproj.io/v1alpha1:Rollout",
        "checkout",
    )
    old, new = (each.inputs["spec"]["template"] for each in (before, after))
    assert old["metadata"]["labels"]["version"].startswith("1.0.0-")
    assert new["metadata"]["labels"]["version"].startswith("1.1.0-")
    (container,) = new["spec"]["containers"]
    assert container["image"] == "sluice/demo-app:1.1.0"
    assert {"name": "ERROR_RATE", "value": "0.05"} in container["env"]
    assert {"name": "INVENTORY_URL", "value": "http://inventory.shop.svc"} in container["env"]


def test_the_stack_sets_the_pace(run: Run) -> None:
    """Local stages take minutes; production's are those of the project."""
    weights = {}
    for stack in STACKS:
        canary = one(run(stack), "kubernetes:flagger.app/v1beta1:Canary", "payments")
        weights[stack] = canary.inputs["spec"]["analysis"]["interval"]
    assert weights == {"local": "10s", "prod": "30s"}


def test_a_service_may_change_its_controller(run: Run) -> None:
    registered = run("local", services={"checkout": {"controller": "flagger"}})
    assert one(registered, "kubernetes:flagger.app/v1beta1:Canary", "checkout")
    assert "kubernetes:argoproj.io/v1alpha1:Rollout" not in {each.type for each in registered}


def test_the_stacks_policy_reaches_every_service_below_its_own(run: Run) -> None:
    registered = run(
        "local",
        policy={"min_bad": 5, "on_undecided": "abort"},
        services={"checkout": {"policy": {"on_undecided": "promote"}}},
    )
    policies = {service: question(registered, service)["policy"] for service in JUDGED}
    assert {service: policy["min_bad"] for service, policy in policies.items()} == {
        "checkout": 5,
        "payments": 5,
    }
    assert policies["checkout"]["on_undecided"] == "promote"
    assert policies["payments"]["on_undecided"] == "abort"


@pytest.mark.parametrize("stack", STACKS)
def test_rules_can_be_left_out(run: Run, stack: str) -> None:
    """Amazon Managed Prometheus alone does not know the kind: `up` would fail with it."""
    rules = "kubernetes:monitoring.coreos.com/v1:PrometheusRule"
    shipped, without = run(stack), run(stack, rules=False)
    assert {each.name for each in shipped if each.type == rules} >= JUDGED
    assert {each.urn for each in shipped} - {each.urn for each in without} == {
        each.urn for each in shipped if each.type == rules
    }


@pytest.mark.parametrize("stack", STACKS)
def test_no_stack_needs_a_secret(run: Run, stack: str) -> None:
    """A pod that mounts one that is not there does not start; Argo aborts a release for it."""
    everything = json.dumps([each.inputs for each in run(stack)])
    assert "secret" not in everything.lower()
    judge = one(run(stack), "kubernetes:apps/v1:Deployment", "judge")
    (container,) = judge.inputs["spec"]["template"]["spec"]["containers"]
    assert [each["name"] for each in container["env"]] == [
        "SLUICE_ISTIO_REPORTER",
        "SLUICE_PROMETHEUS_URL",
        "SLUICE_SCRAPE_INTERVAL",
    ]


def test_the_judge_and_the_rules_read_the_same_side_of_istios_metrics(run: Run) -> None:
    registered = run("local", istioReporter="destination")
    judge = one(registered, "kubernetes:apps/v1:Deployment", "judge")
    (container,) = judge.inputs["spec"]["template"]["spec"]["containers"]
    assert {"name": "SLUICE_ISTIO_REPORTER", "value": "destination"} in container["env"]
    rules = one(registered, "kubernetes:monitoring.coreos.com/v1:PrometheusRule", "checkout")
    text = json.dumps(rules.inputs["spec"])
    assert 'reporter=\\"destination\\"' in text
    assert 'reporter=\\"source\\"' not in text


def test_the_judge_and_argo_use_the_same_token(run: Run) -> None:
    registered = run("local", judgeTokenSecret="judge-token")
    judge = one(registered, "kubernetes:apps/v1:Deployment", "judge")
    (mounted,) = [
        volume["secret"]
        for volume in judge.inputs["spec"]["template"]["spec"]["volumes"]
        if "secret" in volume
    ]
    template = one(registered, "kubernetes:argoproj.io/v1alpha1:AnalysisTemplate", "checkout-slo")
    (sent,) = [arg["valueFrom"] for arg in template.inputs["spec"]["args"] if "valueFrom" in arg]
    assert mounted["secretName"] == sent["secretKeyRef"]["name"] == "judge-token"
    assert mounted["items"][0]["key"] == sent["secretKeyRef"]["key"]


def test_the_stack_says_how_the_judge_gets_into_prometheus(run: Run) -> None:
    role = "arn:aws:iam::012345678901:role/judge"
    registered = run(
        "prod",
        prometheusUrl="https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/ws-1",
        prometheusAccess={"sigv4": {"region": "eu-central-1", "role": role}},
    )
    judge = one(registered, "kubernetes:apps/v1:Deployment", "judge")
    (container,) = judge.inputs["spec"]["template"]["spec"]["containers"]
    region = {"name": "SLUICE_PROMETHEUS_AWS_REGION", "value": "eu-central-1"}
    assert region in container["env"]
    account = one(registered, "kubernetes:core/v1:ServiceAccount", "judge")
    assert account.inputs["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": role}
