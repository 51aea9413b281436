"""A canary by Flagger: its webhooks ask the judge before every step.

`rollback` answers 200 only on a fail and then takes the release back in the same tick;
`confirm-traffic-increase` holds the weight without penalty until the stage may end. Flagger has
no deadline for a held stage: the judge knows the stages and their times, and applies the policy
`on_undecided` through these hooks.
"""

import json

from components import conventions
from components.manifests import pods, scaling, workload
from components.manifests.manifest import Body, Manifest, body, metadata
from components.manifests.question import JUDGE_OUTAGE_SECONDS, question
from components.spec.service import ServiceSpec

API_VERSION = "flagger.app/v1beta1"

READY_SECONDS = 120  # until then a canary that crashes keeps its weight
SHORTEST_INTERVAL = 10  # Flagger's own floor
_HOOKS_PER_TICK = 3  # together they must answer within one interval
_ON_THE_WAY_MS = 500  # of a hook's time, so that the judge's reason arrives before Flagger hangs up


def objects(spec: ServiceSpec) -> list[Manifest]:
    """Everything of `spec` that depends on who moves its traffic.

    Flagger makes the Services, the route and the stable copy itself and overwrites any that are
    there, so none of them is declared.
    """
    return [
        # The target idles between releases: the stable copy is what maintenance must spare.
        scaling.disruption_budget(spec.name, spec.namespace, conventions.primary(spec.name)),
        pods.deployment(
            spec.name,
            spec.namespace,
            workload.pod_template(spec),
            controlled=("spec.replicas",),
            revisionHistoryLimit=5,
            progressDeadlineSeconds=READY_SECONDS,
            **workload.fixed_replicas(spec),
        ),
        *scaling.autoscaler(spec, pods.DEPLOYMENT),
        Manifest(_canary(spec), wave=2),
    ]


def _canary(spec: ServiceSpec) -> Body:
    interval = max(SHORTEST_INTERVAL, spec.site.analysis_interval)
    canary_spec: Body = {
        "provider": "istio",
        "targetRef": {**pods.DEPLOYMENT, "name": spec.name},
        "progressDeadlineSeconds": READY_SECONDS,
        # Without it, deleting the Canary leaves the service with no pods at all.
        "revertOnDeletion": True,
        "service": {
            "port": conventions.SERVICE_PORT,
            "targetPort": spec.port,
            "portName": conventions.PORT_NAME,
            "gateways": [spec.site.gateway, conventions.MESH_GATEWAY],
            "hosts": list(spec.hosts),
        },
        "analysis": {
            "interval": f"{interval}s",
            # Only a judge or a Prometheus that cannot answer counts as a failed check. Flagger
            # never forgets one, and no outage may decide: the limit is a whole day of them.
            "threshold": JUDGE_OUTAGE_SECONDS // interval,
            "stepWeights": [stage.weight for stage in spec.stages],
            "webhooks": _webhooks(spec, timeout=min(10, (interval - 1) // _HOOKS_PER_TICK)),
        },
    }
    if spec.replicas.autoscaled:
        canary_spec["autoscalerRef"] = {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "name": spec.name,
        }
    meta = metadata(spec.name, spec.namespace, spec.name)
    return body(API_VERSION, "Canary", meta, spec=canary_spec)


def _webhooks(spec: ServiceSpec, timeout: int) -> list[Body]:
    canary = {"workload": spec.name, "version": workload.version(spec)}
    stable = {"workload": conventions.primary(spec.name)}
    asked = question(spec, canary, stable)
    asked["answer_within"] = f"{1000 * timeout - _ON_THE_WAY_MS}ms"
    request = json.dumps(asked, sort_keys=True)
    kinds = (
        "confirm-rollout",
        "rollout",
        "rollback",
        "confirm-traffic-increase",
        "confirm-promotion",
        "event",
    )
    return [
        {
            "name": f"{conventions.CHECK}-{kind}",
            "type": kind,
            "url": f"{conventions.JUDGE_URL}{conventions.FLAGGER_PATH}/{kind}",
            "timeout": f"{timeout}s",
            # A held stage would raise an alert at every tick. Of the others each tells once, or
            # (rollout) never: Flagger makes an event of its no, and no alert.
            "muteAlert": kind == "confirm-traffic-increase",
            "metadata": {"request": request},
        }
        for kind in kinds
    ]
