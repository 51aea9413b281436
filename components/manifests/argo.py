"""A canary by Argo Rollouts: one inline analysis per stage, decided by the judge.

Within a stage an undecided verdict counts as inconclusive. The first pass ends the stage, a fail
aborts the rollout, and a stage that ends without either is Inconclusive: the rollout pauses with
its weight where it is and waits for a person.

Argo's own outcomes of a count that is used up cannot tell doubt from missing data, so the policy
`on_undecided` is not left to them: the judge, which knows the stage's time, answers pass or fail at
the deadline, and only if it has the data to do so. The analysis lasts longer for that.
"""

import math

from components import conventions
from components.manifests import pods, routing, scaling, workload
from components.manifests.manifest import Body, Manifest, body, metadata
from components.manifests.question import JUDGE_OUTAGE_SECONDS, question
from components.spec import image
from components.spec.service import ServiceSpec
from components.spec.stages import Stage

API_VERSION = "argoproj.io/v1alpha1"
TARGET: Body = {"apiVersion": API_VERSION, "kind": "Rollout"}

# A new node and an image pull may lie between a release and its first pod. Argo does not count
# the time that analyses take.
READY_SECONDS = 300
JUDGE_TIMEOUT_SECONDS = 10
_ERROR_RETRY_SECONDS = 10  # Argo's own, whatever the interval
_LONGEST_WAIT_SECONDS = 28 * 24 * 3600  # to begin; then a person decides


def objects(spec: ServiceSpec) -> list[Manifest]:
    """Everything of `spec` that depends on who moves its traffic."""
    return [
        *routing.split(spec),
        scaling.disruption_budget(spec.name, spec.namespace, spec.name),
        _analysis_template(spec),
        *scaling.autoscaler(spec, TARGET),
        # Last: a Rollout that misses one of the above is invalid, and retried only every 20 s.
        Manifest(_rollout(spec), wave=1),
    ]


def _rollout(spec: ServiceSpec) -> Body:
    rollout_spec: Body = {
        "selector": pods.selector(spec.name),
        "template": workload.pod_template(spec),
        "revisionHistoryLimit": 5,
        "progressDeadlineSeconds": READY_SECONDS,
        "progressDeadlineAbort": True,
        # No rollbackWindow: it would also let a release that was aborted before skip its stages.
        "strategy": {
            "canary": {
                "stableService": spec.name,
                "canaryService": conventions.canary(spec.name),
                "trafficRouting": {
                    "istio": {"virtualService": {"name": spec.name, "routes": [conventions.ROUTE]}}
                },
                "minPodsPerReplicaSet": 2,
                # The old version stays ready until every proxy has heard of the new weights.
                "scaleDownDelaySeconds": 60,
                "abortScaleDownDelaySeconds": 30,
                "steps": _steps(spec),
            }
        },
    }
    meta = metadata(spec.name, spec.namespace, spec.name)
    return body(API_VERSION, "Rollout", meta, spec=rollout_spec | workload.fixed_replicas(spec))


def _steps(spec: ServiceSpec) -> list[Body]:
    steps: list[Body] = []
    if spec.policy.gated(image.release(spec.image)):
        looks = math.ceil(_LONGEST_WAIT_SECONDS / spec.site.analysis_interval)
        # At weight 0 there are neither pods nor traffic, and the judge says whether to begin.
        steps += _stage(spec, 0, looks)
    for stage in spec.stages:
        steps += _stage(spec, stage.weight, _looks(spec, stage))
    return steps


def _stage(spec: ServiceSpec, weight: int, looks: int) -> list[Body]:
    args = {
        # A literal, rendered with the pod template: a reference to the template's label
        # resolves to the empty string without a word.
        "version": workload.version(spec),
        "weight": str(weight),
        "count": str(looks),
    }
    analysis = {
        "templates": [{"templateName": conventions.analysis_template(spec.name)}],
        "args": [{"name": name, "value": value} for name, value in args.items()],
    }
    return [{"setWeight": weight}, {"analysis": analysis}]


def until_decided(time: int) -> int:
    """The seconds to ask about a stage of this time, if the judge decides at its deadline.

    That is a little later: it counts the seconds with requests, after the warm-up, and sees them
    after a scrape. What it leaves open for too long is held all the same.
    """
    return time + time // 4 + 180


def _looks(spec: ServiceSpec, stage: Stage) -> int:
    """How many measurements fill the stage's time; the first is taken as it begins."""
    decides = spec.policy.decides_at_the_deadline
    time = until_decided(stage.time) if decides else stage.time
    return 1 + math.ceil(time / spec.site.analysis_interval)


def _analysis_template(spec: ServiceSpec) -> Manifest:
    canary = {"workload": spec.name, "version": "{{args.version}}"}
    stable = {"workload": spec.name, "not_version": "{{args.version}}"}
    metric: Body = {
        "name": conventions.CHECK,
        "interval": f"{spec.site.analysis_interval}s",
        "count": "{{args.count}}",
        # Both conditions, always: with one of them missing Argo takes its absence for success.
        "successCondition": 'result.verdict == "pass"',
        "failureCondition": 'result.verdict == "fail"',
        "failureLimit": 0,
        "inconclusiveLimit": "{{args.count}}",
        # Also what makes a stage without any pass Inconclusive instead of Successful.
        "consecutiveSuccessLimit": 1,
        # Argo's default of 4 would abort a healthy release after 40 s without a judge. No fault
        # of the judge's may decide: the stage holds while it is away, a day at the most.
        "consecutiveErrorLimit": JUDGE_OUTAGE_SECONDS // _ERROR_RETRY_SECONDS,
        "provider": {
            "web": {
                "method": "POST",
                "url": f"{conventions.JUDGE_URL}{conventions.VERDICT_PATH}",
                "timeoutSeconds": JUDGE_TIMEOUT_SECONDS,
                "jsonBody": question(spec, canary, stable)
                | {"stage": {"weight": "{{args.weight}}"}},
            }
        },
    }
    args: list[Body] = [
        {"name": "version"},
        {"name": "weight"},
        # Argo checks the template before it knows a stage's own count.
        {"name": "count", "value": str(_looks(spec, spec.stages[0]))},
    ]
    if secret := spec.site.judge_token_secret:
        # Argo reads it in the service's namespace, and keeps what it read to itself.
        key = {"name": secret, "key": conventions.TOKEN_KEY}
        args.append({"name": "token", "valueFrom": {"secretKeyRef": key}})
        bearer = {"key": "Authorization", "value": "Bearer {{args.token}}"}
        metric["provider"]["web"]["headers"] = [bearer]
    meta = metadata(conventions.analysis_template(spec.name), spec.namespace, spec.name)
    return Manifest(
        body(API_VERSION, "AnalysisTemplate", meta, spec={"args": args, "metrics": [metric]})
    )
