"""What a team promises reaches the judge as it was written."""

import json

import pytest

from components.manifests.question import question
from components.spec.service import resolve
from components.spec.site import Site
from plugin.question import Question

SLO = {
    "availability": 99.9,
    "latency": [
        {"percentile": 95, "threshold": "250ms"},
        {"percentile": 99, "threshold": "1s"},
    ],
    "ratios": {
        "paid": {"bad": 'payments_total{outcome="failed"}', "total": "payments_total", "target": 99}
    },
    "limits": {"heap": {"value": 'jvm_memory_used_bytes{area="heap"}', "most": 2e9, "for": "2m"}},
    "saturation": {"memory": 90},
    "restarts": 1,
    "window": "30d",
}


@pytest.mark.parametrize("spelling", ["for", "for_"])
def test_the_judge_understands_every_promise(site: Site, spelling: str) -> None:
    """`for` is no name in Python: the typed arguments spell it with an underscore."""
    heap = dict(SLO["limits"]["heap"])
    heap[spelling] = heap.pop("for")
    spec = resolve("checkout", {"image": "x:1", "slo": {**SLO, "limits": {"heap": heap}}}, site)
    arms = (
        {"workload": "checkout", "version": "1-ab"},
        {"workload": "checkout", "not_version": "1-ab"},
    )
    asked = json.loads(json.dumps(question(spec, *arms)))
    assert asked["slo"] == SLO
    assert Question.model_validate(asked).slo == spec.slo
