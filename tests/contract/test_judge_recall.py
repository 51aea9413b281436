"""A judge that remembers what a real Prometheus answered says at every look what one says that has
just begun, and asks for a few intervals only.
"""

import sys
from collections.abc import Callable

import numpy as np
import pytest

from plugin.judge import Judge, Judgement
from plugin.prometheus import Prometheus, Sample, Series
from plugin.promql.query import Query
from plugin.question import Question
from tests.contract.support.history import (
    BEGIN,
    INTERVALS,
    STEP,
    Array,
    History,
    always,
    counter,
    from_then_on,
)
from tests.contract.support.series import application, istio

LOOKBACK = 50  # intervals, of the hundred that there are
BORN, LATE = 30, 4  # intervals
FEW = 8 + 1


class Listening:
    """The source, and how many intervals it was asked for."""

    def __init__(self, source: Prometheus) -> None:
        self._source = source
        self.asked: list[int] = []

    async def query_range(self, query: Query) -> list[Series]:
        self.asked.append(query.intervals)
        return await self._source.query_range(query)

    async def query(self, text: str) -> list[Sample]:
        return await self._source.query(text)


def told(judgement: Judgement) -> str:
    """All that it says and counts, by its text: there is NaN in it."""
    counts = judgement.counts
    assert counts is not None, judgement.why
    strata = {name: vars(strata) for name, strata in counts.strata.items()}
    with np.printoptions(threshold=sys.maxsize):
        return f"{judgement.reason} {judgement.why} {counts.ends} {strata} {judgement.signals}"


async def looks(
    past: History, question: Question, before: Callable[[int], None] = lambda _: None
) -> list[int]:
    """Compare both at every interval from the fortieth on; `before` is told which comes next."""
    now = 0.0

    def clock() -> float:
        return now

    source = Prometheus(past.url, lambda *_: None)
    listening = Listening(source)
    remembering = Judge(listening, STEP, clock=clock)
    for end in range(40, INTERVALS):
        before(end)
        now = BEGIN + STEP * (end + 1) + 5
        fresh = Judge(source, STEP, clock=clock)
        assert told(await remembering.judge(question)) == told(await fresh.judge(question))
    await source.close()
    return listening.asked


def assert_few(asked: list[int]) -> None:
    """All at the first look and ten minutes later, and little at the others."""
    assert [at for at, intervals in enumerate(asked) if intervals != FEW] == [0, 40]
    assert (asked[0], asked[40]) == (LOOKBACK, LOOKBACK)


def asked_of(past: History, metrics: str) -> Question:
    lookback = f"{LOOKBACK * STEP}s"
    return past.question(
        {"availability": 99}, metrics=metrics, policy={"lookback": lookback, "warm_up": "0s"}
    )


@pytest.mark.parametrize(
    ("metrics", "metric", "names", "status"),
    [
        ("prom-client", "http_requests_total", application, "status"),
        ("istio", "istio_requests_total", istio, "response_code"),
    ],
)
async def test_births_restarts_and_missed_scrapes_are_remembered_as_they_were(
    past: History, metrics: str, metric: str, names: Callable[..., dict[str, str]], status: str
) -> None:
    rng = np.random.default_rng(5)
    for version, rate, born in (("1.1", 8, BORN), ("1.0", 70, 0)):
        for target, resets in (("a", (45, 60, 61)), ("b", ())):
            served = rng.poisson(rate, INTERVALS) * (from_then_on(born, 1) if born else always(1))
            failed = served * (rng.random(INTERVALS) < 0.1)
            for code, counts in (("200", served), ("503", failed)):
                values = counter(counts, born=True, resets=resets)
                if target == "b":
                    values[52:56] = np.nan
                labels = names(past.namespace, version, job="pods", instance=target)
                past.scrape(metric, values, labels | {status: code}, stale=False)
    assert_few(await looks(past, asked_of(past, metrics)))


@pytest.mark.parametrize("seed", [1, 2])
async def test_states_limits_ratios_and_native_histograms_are_remembered_too(
    past: History, seed: int
) -> None:
    """All kinds of parts at once, which come and go at random."""
    past.namespace += f"-{seed}"
    rng = np.random.default_rng(seed)

    def some(mean: float) -> Array:
        return rng.poisson(mean, INTERVALS).astype(float)

    def at_times(value: float) -> Array:
        there = (rng.random(INTERVALS) < 0.05).cumsum() % 2 == 1
        return np.where(there, value, np.nan)

    for version, rate in (("1.1", 8), ("1.0", 70)):
        names = istio(past.namespace, version)
        past.add("istio_requests_total", counter(some(rate)), **names, response_code="200")
        within = {bucket: some(rate).cumsum() for bucket in (0, 7, 9)}
        duration = "istio_request_duration_milliseconds"
        past.add_native(duration, within, **names)

        own = application(past.namespace, version)
        past.add("pay_total", counter(some(3)), **own)
        past.add("pay_bad_total", counter(some(0.05), born=True), **own)
        past.add("up", np.where(np.isnan(at_times(1)), 1.0, 0.0), **own)
        heap = rng.random(INTERVALS) * 3e9
        past.add("heap_bytes", np.where(rng.random(INTERVALS) < 0.2, np.nan, heap), **own)

        pod = {"namespace": past.namespace, "pod": f"checkout-{version}"}
        past.add("kube_pod_labels", always(1), label_app="checkout", label_version=version, **pod)
        past.add("kube_pod_deletion_timestamp", at_times(1e9), **pod)
        container = {"container": "app", **pod}
        state = "kube_pod_container_status"
        restarts = counter(some(0.05))
        past.add(f"{state}_restarts_total", restarts, **container)
        killed = at_times(1)
        past.add(f"{state}_last_terminated_reason", killed, reason="OOMKilled", **container)
        past.add(f"{state}_waiting_reason", at_times(1), reason="CrashLoopBackOff", **container)
        periods = counter(some(10))
        past.add("container_cpu_cfs_periods_total", periods, **container)
        past.add("container_cpu_cfs_throttled_periods_total", np.floor(periods / 3), **container)
    slo = {
        "availability": 99,
        "latency": {"percentile": 95, "threshold": "250ms"},
        "ratios": {"paid": {"bad": "pay_bad_total", "total": "pay_total", "target": 99}},
        "limits": {"heap": {"value": "avg(heap_bytes)", "most": 2.5e9}},
        "saturation": {"cpu_throttled": 50},
    }
    policy = {"lookback": f"{LOOKBACK * STEP}s", "warm_up": "0s"}
    asked = await looks(past, past.question(slo, histograms="native", policy=policy))
    assert FEW in asked


async def test_samples_that_come_late_are_counted(past: History) -> None:
    """Remote write is behind by a minute, and more of each interval is there at every look."""

    def arrived(until: int, since: int = 0) -> None:
        for version, values in rows.items():
            labels = istio(past.namespace, version, response_code="200")
            part = np.full(INTERVALS, np.nan)
            part[since:until] = values[since:until]
            past.scrape("istio_requests_total", part, labels, stale=False)

    rows: dict[str, Array] = {"1.1": counter(always(8)), "1.0": counter(always(70))}
    arrived(40 - LATE)
    asked = await looks(
        past, asked_of(past, "istio"), before=lambda end: arrived(end + 1 - LATE, end - LATE)
    )
    assert_few(asked)
