"""The judge's own metrics, in a registry of its own."""

from fastapi import APIRouter, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from plugin.judge import Judgement

_RELEASE = ["namespace", "service"]


class Metrics:
    """What the judge decided last, for whom and on what, and how Prometheus served it."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._verdicts = Counter(
            "sluice_verdicts",
            "Verdicts given.",
            [*_RELEASE, "verdict", "reason"],
            registry=registry,
        )
        counts = [*_RELEASE, "indicator", "arm"]
        self._requests = Gauge(
            "sluice_requests",
            "Requests of the release's latest verdict.",
            counts,
            registry=registry,
        )
        self._bad = Gauge(
            "sluice_bad_requests", "Those that broke the objective.", counts, registry=registry
        )
        weighed = [*_RELEASE, "indicator", "test"]
        self._evidence = Gauge(
            "sluice_evidence", "ln E of the latest verdict's tests.", weighed, registry=registry
        )
        self._threshold = Gauge(
            "sluice_evidence_threshold", "ln E at which a test decides.", weighed, registry=registry
        )
        self._extra = Gauge(
            "sluice_extra_bad_ratio",
            "Interval of the canary's extra bad ratio.",
            [*_RELEASE, "indicator", "bound"],
            registry=registry,
        )
        self._queries = Histogram(
            "sluice_prometheus_query_seconds",
            "Time of queries to Prometheus, by outcome.",
            ["outcome"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )

    def queried(self, seconds: float, outcome: str) -> None:
        """One query to Prometheus has ended."""
        self._queries.labels(outcome).observe(seconds)

    def judged(self, judgement: Judgement) -> None:
        """One verdict has been given."""
        reason = judgement.reason
        release = (judgement.question.namespace, judgement.question.service)
        self._verdicts.labels(*release, reason.verdict.value, reason.value).inc()
        for case in judgement.cases:
            of, arms = (*release, case.objective.name), case.rollout
            self._requests.labels(*of, "canary").set(arms.canary_total.sum())
            self._requests.labels(*of, "stable").set(arms.stable_total.sum())
            self._bad.labels(*of, "canary").set(arms.canary_bad.sum())
            self._bad.labels(*of, "stable").set(arms.stable_bad.sum())
            tests = {
                "harm": (case.harm, case.to_fail),
                "safe": (case.safe, case.to_pass),
                "burn": (case.burn, case.to_fail),
            }
            for test, (evidence, threshold) in tests.items():
                self._evidence.labels(*of, test).set(evidence)
                self._threshold.labels(*of, test).set(threshold)
            for bound, value in zip(("lower", "upper"), case.extra, strict=True):
                self._extra.labels(*of, bound).set(value)


def router(metrics: Metrics) -> APIRouter:
    routes = APIRouter()

    @routes.get("/metrics", response_class=Response)
    async def exposition() -> Response:
        """The judge's metrics in Prometheus' text format."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return routes
