"""The judge's own metrics, in a registry of its own."""

import time
from collections import Counter as Tally
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

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
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from plugin.api.answers import IndicatorAnswer, SignalAnswer, VerdictAnswer, Weighed

_RELEASE = ["namespace", "service"]
_REMEMBERED = 1000
"""Services. The names come with the requests, and memory must not grow with them."""
_SHOWN_SECONDS = 3600
"""For so long after its last verdict: old counts on a dashboard would look like present ones."""

_Gauges = Iterator[tuple[str, tuple[str, ...], float]]


@dataclass
class _Release:
    """All its verdicts, counted; the latest, and when that was."""

    verdicts: Tally[tuple[str, str]] = field(default_factory=Tally)
    latest: VerdictAnswer | None = None
    judged: float = 0.0


class Releases(Collector):
    """The latest verdict on each service, and what it rests on."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._releases: OrderedDict[tuple[str, str], _Release] = OrderedDict()

    def judged(self, namespace: str, answer: VerdictAnswer) -> None:
        key = (namespace, answer.service)
        release = self._releases.setdefault(key, _Release())
        self._releases.move_to_end(key)
        if len(self._releases) > _REMEMBERED:
            self._releases.popitem(last=False)
        release.verdicts[answer.verdict.value, answer.reason.value] += 1
        release.latest, release.judged = answer, self._clock()

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        said = ["verdict", "reason"]
        verdicts = CounterMetricFamily(
            "sluice_verdicts", "Verdicts given.", labels=[*_RELEASE, *said]
        )
        families = {
            name: GaugeMetricFamily(name, text, labels=[*_RELEASE, *labels])
            for name, text, labels in (
                ("sluice_verdict", "The latest verdict: always 1.", said),
                ("sluice_requests", "Requests of the latest verdict.", ["indicator", "arm"]),
                (
                    "sluice_bad_requests",
                    "Those that broke the objective.",
                    ["indicator", "arm"],
                ),
                ("sluice_evidence", "ln E of its tests.", ["indicator", "test"]),
                (
                    "sluice_evidence_threshold",
                    "ln E at which a test decides.",
                    ["indicator", "test"],
                ),
                (
                    "sluice_extra_bad_ratio",
                    "Interval of the canary's extra bad ratio.",
                    ["indicator", "bound"],
                ),
                ("sluice_signal", "What else is watched, newest value.", ["signal", "arm"]),
                ("sluice_signal_bound", "What it must not stay beyond.", ["signal"]),
            )
        }
        now = self._clock()
        for key, release in self._releases.items():
            for labels, count in release.verdicts.items():
                verdicts.add_metric([*key, *labels], count)
            if release.latest and now - release.judged <= _SHOWN_SECONDS:
                for name, labels, value in _gauges(release.latest):
                    families[name].add_metric([*key, *labels], value)
        yield verdicts
        yield from families.values()


class Metrics:
    """What the judge decided last, for whom and on what, and how Prometheus served it."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._releases = Releases()
        registry.register(self._releases)
        self._queries = Histogram(
            "sluice_prometheus_query_seconds",
            "Time of queries to Prometheus, by outcome.",
            ["outcome"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self._refusals = Counter(
            "sluice_refused_requests",
            "Requests answered with an error, by HTTP status.",
            ["status"],
            registry=registry,
        )

        self._under_way = Gauge(
            "sluice_questions_under_way", "Requests being answered.", registry=registry
        )

    def queried(self, seconds: float, outcome: str) -> None:
        """One query to Prometheus has ended."""
        self._queries.labels(outcome).observe(seconds)

    def refused(self, status: int) -> None:
        """One request was answered with this error."""
        self._refusals.labels(str(status)).inc()

    def under_way(self, questions: int) -> None:
        """So many are being answered now."""
        self._under_way.set(questions)

    def judged(self, namespace: str, answer: VerdictAnswer) -> None:
        """One verdict has been given."""
        self._releases.judged(namespace, answer)


def router(metrics: Metrics) -> APIRouter:
    routes = APIRouter()

    @routes.get("/metrics", response_class=Response)
    async def exposition() -> Response:
        """The judge's metrics in Prometheus' text format."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return routes


def _gauges(answer: VerdictAnswer) -> _Gauges:
    yield "sluice_verdict", (answer.verdict.value, answer.reason.value), 1
    for indicator in answer.indicators:
        yield from _evidence(indicator, answer.threshold)
    for signal in answer.signals or ():
        yield from _watched(signal)


def _evidence(indicator: IndicatorAnswer, threshold: Weighed | None) -> _Gauges:
    name = indicator.name
    for arm, counts in (("canary", indicator.canary), ("stable", indicator.stable)):
        if counts:
            yield "sluice_requests", (name, arm), counts.total
            yield "sluice_bad_requests", (name, arm), counts.bad
    for metric, weighed in (
        ("sluice_evidence", indicator.evidence),
        ("sluice_evidence_threshold", threshold),
    ):
        for test, log_e in weighed or ():
            yield metric, (name, test), log_e
    for bound, ratio in zip(("lower", "upper"), indicator.extra or (), strict=False):
        yield "sluice_extra_bad_ratio", (name, bound), ratio


def _watched(signal: SignalAnswer) -> _Gauges:
    for arm, value in (("canary", signal.canary), ("stable", signal.stable)):
        if value is not None:
            yield "sluice_signal", (signal.name, arm), value
    if signal.bound is not None:
        yield "sluice_signal_bound", (signal.name,), signal.bound
