"""What a controller asks the judge: one service's objectives and how to tell its arms apart."""

from components.manifests.manifest import Body
from components.spec import image
from components.spec.service import ServiceSpec
from components.spec.slo import MEASURED

JUDGE_OUTAGE_SECONDS = 24 * 3600
"""How long the judge may be away before a controller gives a healthy release up."""


def question(spec: ServiceSpec, canary: Body, stable: Body) -> Body:
    """The question about `spec`. An arm is {workload, version | not_version}."""
    if spec.slo is None:
        raise ValueError(f"{spec.name} has no slo, so there is nothing to ask the judge about it")
    return {
        "service": spec.name,
        "namespace": spec.namespace,
        "slo": spec.slo.model_dump(mode="json", exclude_none=True, exclude=MEASURED),
        **spec.slo.model_dump(include=MEASURED),
        "arms": {"canary": canary, "stable": stable},
        "stages": [{"weight": stage.weight, "time": f"{stage.time}s"} for stage in spec.stages],
        "policy": spec.policy.asked(
            image.release(spec.image), spec.stages, spec.site.analysis_interval
        ),
    }
