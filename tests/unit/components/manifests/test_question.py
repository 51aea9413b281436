"""What a team promises, and where it is measured, reaches the judge as it was written."""

import json

import pytest

from components.manifests.manifest import Body
from components.manifests.question import question
from components.spec.service import ServiceSpec, resolve
from components.spec.site import Site
from plugin.question import Question
from plugin.slo import SLO

WRITTEN = {
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
    heap = dict(WRITTEN["limits"]["heap"])
    heap[spelling] = heap.pop("for")
    slo = {**WRITTEN, "limits": {"heap": heap}}
    asked = asked_about(resolve("checkout", {"image": "x:1", "slo": slo}, site))
    assert asked["slo"] == WRITTEN
    assert Question.model_validate(asked).slo == SLO.model_validate(WRITTEN)


def test_requests_are_counted_at_the_callers_unless_the_team_says_where(site: Site) -> None:
    def measured(**more: str) -> tuple[str, str]:
        slo = {"availability": 99.9, **more}
        asked = asked_about(resolve("checkout", {"image": "x:1", "slo": slo}, site))
        read = Question.model_validate(asked)
        return read.metrics, read.histograms

    assert measured() == ("istio", "classic")
    assert measured(metrics="prom-client", histograms="native") == ("prom-client", "native")


def asked_about(spec: ServiceSpec) -> Body:
    canary = {"workload": "checkout", "version": "1-ab"}
    stable = {"workload": "checkout", "not_version": "1-ab"}
    return json.loads(json.dumps(question(spec, canary, stable)))
