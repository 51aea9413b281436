"""Counts against a real Prometheus, with series whose true counts are known."""

import asyncio
import http.server
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from plugin.counts import read
from plugin.counts.answer import Answer
from plugin.judge import Judge
from plugin.judge.flagger import canary_weight
from plugin.judge.plan import plan
from plugin.prometheus import ConfigError, Prometheus
from plugin.promql.query import Query
from plugin.verdict import Reason
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
from tests.contract.support.prometheus import prometheus
from tests.contract.support.series import application, istio

REQUESTS = "istio_requests_total"
BOTH = {"availability": 99, "latency": {"percentile": 95, "threshold": "250ms"}}


def add(past: History, version: str, code: str, values: Array, **more: str) -> None:
    """Requests as Istio counts them."""
    names = istio(past.namespace, version, response_code=code) | more
    past.scrape(REQUESTS, values, names, stale=False)


def rare(rng: np.random.Generator, first: int, rate: float) -> Array:
    """Occasional errors, the first of them in interval `first`."""
    errors = rng.poisson(rate, INTERVALS).astype(float)
    errors[:first] = 0
    errors[first] = 1
    return errors


def own(past: History, version: str, code: str, values: Array, **more: str) -> None:
    """Requests as the service itself counts them."""
    names = application(past.namespace, version, job="pods", status=code) | more
    past.scrape("http_requests_total", values, names, stale=False)


@pytest.mark.parametrize(
    ("metrics", "count", "restarts"),
    [
        # A service that crashes over and over has as many errors in each of its lives.
        ("prom-client", own, (30, 33, 36, 39, 71)),
        # A caller's proxy lives through that; if it restarts, it has seen many errors by then.
        ("istio", add, (50, 71)),
    ],
)
def test_counts_are_exact_from_birth_over_resets_and_gaps(
    past: History, metrics: str, count: Callable[..., None], restarts: tuple[int, ...]
) -> None:
    """Two targets of each version; one restarts, one cannot be scraped for a while."""
    rng = np.random.default_rng(3)
    gap = slice(40, 44)
    truth = {}
    for version, rate in (("1.1", 8), ("1.0", 70)):
        good, bad = np.zeros(INTERVALS), np.zeros(INTERVALS)
        for target, resets in (("a", restarts), ("b", ())):
            served = rng.poisson(rate, INTERVALS).astype(float)
            errors = rare(rng, first=55 if target == "b" else 20, rate=0.4)
            ok = counter(served, base=1e6 if version == "1.0" else 0, resets=resets)
            failed = counter(errors, born=True, resets=resets)
            if target == "b":
                ok[gap], failed[gap] = np.nan, np.nan
                for counts in (served, errors):
                    counts[gap.stop] += counts[gap].sum()
                    counts[gap] = 0
            good, bad = good + served, bad + errors
            count(past, version, "200", ok, instance=target)
            count(past, version, "503", failed, instance=target)
        truth[version] = (bad, good + bad)
    counts = past.counts(past.question({"availability": 99}, metrics=metrics))
    strata = counts.strata["availability"]
    # The stable counters' past, in the first interval, is left out as what it is: a jump.
    skipped = INTERVALS - len(counts.ends)
    assert skipped == 1
    assert strata.canary_bad.tolist() == truth["1.1"][0][skipped:].tolist()
    assert strata.canary_total.tolist() == truth["1.1"][1][skipped:].tolist()
    assert strata.stable_bad.tolist() == truth["1.0"][0][skipped:].tolist()
    assert strata.stable_total.tolist() == truth["1.0"][1][skipped:].tolist()


def test_a_proxys_counter_that_misses_scrapes_alone_counts_once(past: History) -> None:
    """Its target is there, so that nothing but the counter's own memory can tell."""
    for version in ("1.1", "1.0"):
        add(past, version, "200", counter(always(50)), instance="a")
        failed = counter(always(1))
        failed[30:80:3] = np.nan
        add(past, version, "503", failed, instance="a")
    strata = past.counts(past.question({"availability": 99})).strata["availability"]
    assert strata.canary_bad.sum() == strata.stable_bad.sum() <= INTERVALS


@pytest.mark.parametrize("replica", ["prometheus_replica", "replica", "__replica__"])
def test_two_prometheus_servers_count_once(past: History, replica: str) -> None:
    """They scrape the same targets at other moments, and each misses some scrapes.

    What the earlier one sees in an interval and the later one in the next is one request.
    """
    rng = np.random.default_rng(5)
    truth = {}
    for version, rate in (("1.1", 8), ("1.0", 70)):
        served, errors = rng.poisson(rate, INTERVALS), rare(rng, 20, 0.4)
        truth[version] = (errors, served)
        for code, counts in (("200", served.astype(float)), ("503", errors)):
            whole = counter(counts, born=code == "503", resets=(60,))
            # The later server has seen a part of the interval to come.
            early = whole.copy()
            reset = np.diff(whole, prepend=whole[0]) < 0
            early[1:] = np.where(reset[1:], whole[1:], whole[:-1])
            early[0] = np.nan if code == "503" else 0
            whole[70:72], early[80:82] = np.nan, np.nan
            for name, values, delay in (("a", early, 10.0), ("b", whole, 2.0)):
                names = istio(past.namespace, version, response_code=code, instance="x")
                past.scrape(REQUESTS, values, names | {replica: name}, delay, stale=False)
    strata = past.counts(past.question({"availability": 99})).strata["availability"]
    for version, bad, total in (
        ("1.1", strata.canary_bad, strata.canary_total),
        ("1.0", strata.stable_bad, strata.stable_total),
    ):
        errors, served = truth[version]
        # While one server misses scrapes the other's are an interval behind; nothing is lost.
        assert bad.sum() == errors.sum()
        assert total.sum() == (errors + served).sum()


def test_both_sides_of_a_request_count_it_once(past: History) -> None:
    """The callers' proxies report every request, and the pods' own those that arrived."""
    for version, served in (("1.1", 10), ("1.0", 90)):
        for reporter in ("source", "destination", "waypoint"):
            add(past, version, "200", counter(always(served)), reporter=reporter)
    strata = past.counts(past.question({"availability": 99})).strata["availability"]
    assert strata.canary_total.tolist() == always(10).tolist()
    assert strata.stable_total.tolist() == always(90).tolist()


def test_requests_that_found_no_pod_are_the_canarys(past: History) -> None:
    """Nobody answers for a canary that is wholly gone: the 503s name its Service, no workload."""
    add(past, "1.1", "200", counter(np.where(np.arange(INTERVALS) < 50, 10.0, 0.0)))
    add(past, "1.0", "200", counter(always(90)))
    gone = {
        "reporter": "source",
        "destination_workload": "unknown",
        "destination_service_namespace": past.namespace,
        "response_code": "503",
        "response_flags": "UH",
    }
    for service in ("checkout-canary", "other-canary"):
        failed = counter(from_then_on(50, 10), born=True)
        past.add(REQUESTS, failed, destination_service_name=service, **gone)
    judgement = past.judgement(past.question({"availability": 99}))
    assert judgement.reason is Reason.SLO_BURN
    arms = judgement.cases[0].rollout
    assert (arms.canary_bad.sum(), arms.canary_total.sum()) == (500, 1000)
    assert arms.stable_bad.sum() == 0


def test_requests_that_found_no_pod_of_an_earlier_canary_do_not_count(past: History) -> None:
    """They name no version, so they count only once this one has been seen."""
    past.add(
        REQUESTS,
        counter(np.where(np.arange(INTERVALS) == 20, 30.0, 0.0), born=True),
        reporter="source",
        destination_workload="unknown",
        destination_service_namespace=past.namespace,
        destination_service_name="checkout-canary",
        response_code="503",
        response_flags="UH",
    )
    add(past, "1.1", "200", counter(from_then_on(30, 10), born=True))
    add(past, "1.0", "200", counter(always(2)))
    strata = past.counts(past.question({"availability": 99})).strata["availability"]
    assert (strata.canary_bad.sum(), strata.canary_total.sum()) == (0, 700)


@pytest.mark.parametrize("restarting", [False, True])
def test_a_retry_begins_when_its_pods_come(past: History, restarting: bool) -> None:
    """Too few requests in between tell it from a lull; the pods do.

    A gap in what is known about pods is no retry.
    """
    first = np.where(np.arange(INTERVALS) < 40, 10.0, 0.0)
    add(past, "1.1", "200", counter(first + from_then_on(60, 10)))
    add(past, "1.1", "500", counter(np.where(np.arange(INTERVALS) == 30, 5.0, 0.0), born=True))
    add(past, "1.0", "200", counter(always(20)))
    both = {"namespace": past.namespace, "label_app": "checkout"}
    stable, one, two = always(1), always(1), always(1)
    one[45:], two[:55] = np.nan, np.nan
    if restarting:  # of kube-state-metrics
        stable[45:55] = np.nan
    past.add("kube_pod_labels", stable, pod="checkout-s-1", label_version="1.0", **both)
    past.add("kube_pod_labels", one, pod="checkout-c-1", label_version="1.1", **both)
    past.add("kube_pod_labels", two, pod="checkout-c-2", label_version="1.1", **both)
    strata = past.counts(past.question({"availability": 99})).strata["availability"]
    assert strata.canary_bad.sum() == (5 if restarting else 0)
    assert strata.canary_total.sum() == (805 if restarting else 400)


def test_a_silent_canary_keeps_its_proven_failure_while_its_pods_are_there(past: History) -> None:
    add(past, "1.1", "500", counter(np.where(np.arange(INTERVALS) < 10, 10.0, 0.0)))
    add(past, "1.0", "200", counter(always(90)))
    pod = {"namespace": past.namespace, "label_app": "checkout"}
    past.add("kube_pod_labels", always(1), pod="checkout-s-1", label_version="1.0", **pod)
    past.add("kube_pod_labels", always(1), pod="checkout-c-1", label_version="1.1", **pod)
    assert past.judgement(past.question({"availability": 99})).reason is Reason.SLO_BURN


def test_a_counter_that_was_away_for_long_is_left_out(past: History) -> None:
    """After more than five minutes its whole past would look like one interval's requests."""
    away = counter(always(50), base=1e6)
    away[30:60] = np.nan
    add(past, "1.0", "200", away, instance="a")
    add(past, "1.0", "200", counter(always(50)), instance="b")
    add(past, "1.1", "200", counter(always(50)), instance="a")
    counts = past.counts(past.question(BOTH))
    assert counts.dropped == 1
    assert counts.strata["availability"].stable_total.max() == 100


def test_a_counter_that_returns_from_long_absence_holds_no_release(past: History) -> None:
    """What is left out, also where the storage begins, is far more than all that is left."""
    returning = counter(always(450), base=1e9)
    returning[50:80] = np.nan
    add(past, "1.0", "200", returning, instance="a")
    add(past, "1.0", "200", counter(always(450)), instance="b")
    add(past, "1.1", "200", counter(always(100)), instance="b")
    assert past.judgement(past.question({"availability": 99})).reason is Reason.NON_INFERIOR


def test_traffic_that_comes_in_batches_does_not_pass_by_what_is_between_them(
    past: History,
) -> None:
    """45 s of every 5 minutes; the canary fails half of them there and none in between."""
    batch = np.arange(INTERVALS) % 20 < 3
    for version, share in (("1.1", 0.1), ("1.0", 0.9)):
        served = np.round(np.where(batch, 1500, 30) * share)
        failed = np.where(batch & (version == "1.1"), served / 2, 0)
        add(past, version, "200", counter(served - failed))
        add(past, version, "503", counter(failed))
    judgement = past.judgement(past.question({"availability": 95}))
    assert judgement.cases[0].safe >= judgement.cases[0].to_pass
    assert judgement.reason is Reason.NO_DATA
    assert judgement.why.startswith("most of what is counted for availability comes in bursts")


def test_a_release_whose_errors_begin_late_fails(past: History) -> None:
    add(past, "1.0", "200", counter(always(90), base=1))
    add(past, "1.1", "200", counter(always(10)))
    add(past, "1.1", "500", counter(from_then_on(90, 1), born=True))
    judgement = past.judgement(past.question(BOTH))
    availability = judgement.cases[0]
    assert availability.rollout.canary_bad.sum() == 10
    assert availability.reason is Reason.REGRESSION
    # There are no histograms in this Prometheus: the other objective is unknown, and waits.
    assert judgement.cases[1].reason is Reason.NO_DATA


def test_a_refused_query_is_a_config_error(scraped: str) -> None:
    async def ask() -> None:
        source = Prometheus(scraped, lambda *_: None)
        with pytest.raises(ConfigError, match="parse error"):
            await source.query_range(Query("sum(", BEGIN, BEGIN + STEP, STEP))
        await source.close()

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("every", "reason"),
    [(1, Reason.NON_INFERIOR), (2, Reason.NON_INFERIOR), (4, Reason.NO_DATA)],
)
def test_counters_that_are_scraped_more_rarely_than_configured_are_named(
    past: History, every: int, reason: Reason
) -> None:
    for version, rate in (("1.1", 100), ("1.0", 900)):
        values = counter(always(rate))
        values[np.arange(INTERVALS) % every != 0] = np.nan
        add(past, version, "200", values)
    judgement = past.judgement(past.question({"availability": 99}))
    assert judgement.reason is reason
    named = "scraped 3 times in the last 180 s, and with SLUICE_SCRAPE_INTERVAL=15 it should be 12"
    assert (named in judgement.why) is (every == 4)


@pytest.mark.parametrize("off", [-300, 300])
def test_prometheus_answers_tell_that_our_clock_is_wrong(scraped: str, off: float) -> None:
    async def ask() -> None:
        source = Prometheus(scraped, lambda *_: None, clock=lambda: time.time() + off)
        with pytest.raises(ConfigError, match="the judge's clock is"):
            await source.query("vector(1)")
        await source.close()

    asyncio.run(ask())


class Exporter(http.server.BaseHTTPRequestHandler):
    """Ten more requests at each scrape; some fail, and Prometheus marks the series stale."""

    scrapes = 0
    failing = range(4, 7)
    enough = 12

    def do_GET(self) -> None:
        kind = type(self)
        kind.scrapes = min(kind.scrapes + 1, kind.enough)
        if kind.scrapes in kind.failing:
            self.send_error(503)
            return
        names = ",".join(f'{k}="{v}"' for k, v in istio("shop", "1.1", response_code="200").items())
        body = (
            "# TYPE istio_requests_total counter\n"
            f"istio_requests_total{{{names}}} {kind.scrapes * 10}\n"
            "# TYPE flagger_canary_weight gauge\n"
            'flagger_canary_weight{workload="checkout",namespace="shop"} 30\n'
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the test's output clean."""


def test_missed_scrapes_lose_and_double_nothing(tmp_path: Path) -> None:
    """A failed scrape makes every series stale; when it is back it is no newborn."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Exporter)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    targets = [{"targets": [f"127.0.0.1:{server.server_port}"]}]
    job = {"job_name": "mesh", "scrape_interval": "1s", "static_configs": targets}
    with closing(server.socket), prometheus(tmp_path, scrape_configs=[job]) as url:
        counted, weight = asyncio.run(_watch(url))
    server.shutdown()
    assert counted == Exporter.enough * 10
    assert weight == 30


async def _watch(url: str) -> tuple[float, int | None]:
    """The canary's requests once the last scrape is in, and its weight."""
    source = Prometheus(url, lambda *_: None)
    judge = Judge(source, scrape_interval=1)
    question = History(url, "shop").question(BOTH)
    deadline, settled = time.monotonic() + 60, 0
    counted = 0.0
    while time.monotonic() < deadline and settled < 3:
        await asyncio.sleep(1)
        asked, query = plan(question, 1, "source", time.time())
        answer = Answer.of(await source.query_range(query), query, asked.parts)
        counts = read(answer, asked.indicators)
        counted = float(counts.strata["availability"].canary_total.sum())
        settled += counted >= Exporter.enough * 10
    weight = await canary_weight(judge, question)
    await source.close()
    return counted, weight
