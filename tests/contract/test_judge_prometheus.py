"""Counts against a real Prometheus, with series whose true counts are known."""

import asyncio
import http.server
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from plugin.counts import Counts, read
from plugin.flagger import canary_weight
from plugin.indicators import istio
from plugin.judge import Judge
from plugin.prometheus import ConfigError, Prometheus
from plugin.promql import Query
from plugin.question import Question
from plugin.verdict import Reason

BINARIES = Path(__file__).parents[2] / ".sluice" / "bin"
STEP = 15
INTERVALS = 100
BEGIN = int(time.time()) // STEP * STEP - 2 * 3600
"""The time of the first interval's end. Blocks hold the past only."""

QUESTION = Question.model_validate(
    {
        "service": "checkout",
        "namespace": "shop",
        "slo": {"availability": 99, "latency": {"percentile": 95, "threshold": "250ms"}},
        "arms": {
            "canary": {"workload": "checkout", "version": "1.1"},
            "stable": {"workload": "checkout", "not_version": "1.1"},
        },
        "policy": {"lookback": f"{STEP * INTERVALS}s"},
    }
)
Series = tuple[dict[str, str], NDArray[np.float64]]


def labels(version: str, **more: str) -> dict[str, str]:
    return {
        "reporter": "source",
        "destination_workload_namespace": "shop",
        "destination_workload": "checkout",
        "destination_version": version,
        **more,
    }


def counter(
    counts: NDArray[np.float64], base: float = 0, born: bool = False, resets: Sequence[int] = ()
) -> NDArray[np.float64]:
    """Samples of a counter that grows by `counts`; NaN where there is no sample.

    It begins anew, at zero, before each interval in `resets`. With `born` it is not there, at first
    and after a reset, until something is counted.
    """
    values, total = np.empty(len(counts)), base
    for index, count in enumerate(counts):
        total = count if index in resets else total + count
        values[index] = np.nan if born and total == 0 else total
    return values


def openmetrics(requests: Sequence[Series], buckets: Sequence[Series]) -> str:
    lines = ["# TYPE istio_requests counter"]
    lines += _samples("istio_requests_total", requests)
    lines += ["# TYPE istio_request_duration_milliseconds histogram"]
    lines += _samples("istio_request_duration_milliseconds_bucket", buckets)
    return "\n".join([*lines, "# EOF", ""])


def _samples(metric: str, series: Sequence[Series]) -> Iterator[str]:
    for names, values in series:
        text = ",".join(f'{name}="{value}"' for name, value in names.items())
        for index, value in enumerate(values):
            if not np.isnan(value):
                yield f"{metric}{{{text}}} {value:.0f} {BEGIN + STEP * index}"


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return server.getsockname()[1]


@contextmanager
def prometheus(folder: Path, scrape: str = "") -> Iterator[str]:
    """A real Prometheus over the blocks in `folder`; yields its URL."""
    binary, port = BINARIES / "prometheus", free_port()
    assert binary.exists(), f"{binary} is not built: run `make demo` or `make test` once"
    config = folder / "prometheus.yml"
    config.write_text(f"global: {{scrape_interval: 1s}}\nscrape_configs: [{scrape}]\n")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [
                binary,
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, folder / "log")
        yield url
    finally:
        process.terminate()
        process.wait()


def wait_until_ready(url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/-/ready", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass  # not listening yet
        time.sleep(0.1)
    pytest.fail(f"Prometheus did not become ready:\n{log.read_text()}")


@contextmanager
def holding(
    folder: Path, requests: Sequence[Series], buckets: Sequence[Series] = ()
) -> Iterator[str]:
    """A Prometheus that has already scraped these series."""
    source = folder / "series.txt"
    source.write_text(openmetrics(requests, buckets))
    subprocess.run(
        [
            BINARIES / "promtool",
            "tsdb",
            "create-blocks-from",
            "openmetrics",
            source,
            folder / "data",
        ],
        check=True,
        capture_output=True,
    )
    with prometheus(folder) as url:
        yield url


def judge_of(url: str) -> Judge:
    """A judge whose evaluation ends with the last interval."""
    now = BEGIN + STEP * INTERVALS + 5
    return Judge(Prometheus(url, lambda *_: None), STEP, clock=lambda: now)


def counts_of(url: str) -> Counts:
    judge = judge_of(url)
    indicators = [istio(objective) for objective in QUESTION.slo.objectives]
    query = judge.query(QUESTION, indicators)
    assert (query.start, query.intervals) == (BEGIN, INTERVALS)
    return read(asyncio.run(judge.source.query_range(query)), query, indicators)


def rare(rng: np.random.Generator, first: int, rate: float) -> NDArray[np.float64]:
    """Occasional errors, the first of them in interval `first`."""
    errors = rng.poisson(rate, INTERVALS).astype(float)
    errors[:first] = 0
    errors[first] = 1
    return errors


def test_counts_are_exact_from_birth_over_resets_and_gaps(tmp_path: Path) -> None:
    """Two callers count both versions; one keeps restarting, one cannot be scraped for a while."""
    rng = np.random.default_rng(3)
    crash_loop = (30, 33, 36, 39, 71)
    gap = slice(40, 44)
    requests, truth = [], {}
    for version, rate in (("1.1", 8), ("1.0", 70)):
        good, bad = np.zeros(INTERVALS), np.zeros(INTERVALS)
        for caller, resets in (("a", crash_loop), ("b", ())):
            served = rng.poisson(rate, INTERVALS).astype(float)
            errors = rare(rng, first=55 if caller == "b" else 20, rate=0.4)
            ok = counter(served, base=1e6 if version == "1.0" else 0, resets=resets)
            failed = counter(errors, born=True, resets=resets)
            if caller == "b":
                ok[gap], failed[gap] = np.nan, np.nan
                for counts in (served, errors):
                    counts[gap.stop] += counts[gap].sum()
                    counts[gap] = 0
            good, bad = good + served, bad + errors
            requests.append((labels(version, response_code="200", instance=caller), ok))
            requests.append((labels(version, response_code="503", instance=caller), failed))
        truth[version] = (bad, good + bad)
    with holding(tmp_path, requests) as url:
        counts = counts_of(url)
    strata = counts.strata["availability"]
    # The stable counters' past, in the first interval, is left out as what it is: a jump.
    skipped = INTERVALS - len(counts.ends)
    assert skipped == 1
    assert strata.canary_bad.tolist() == truth["1.1"][0][skipped:].tolist()
    assert strata.canary_total.tolist() == truth["1.1"][1][skipped:].tolist()
    assert strata.stable_bad.tolist() == truth["1.0"][0][skipped:].tolist()
    assert strata.stable_total.tolist() == truth["1.0"][1][skipped:].tolist()


def test_slow_requests_are_exact(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    buckets, truth = [], []
    for version in ("1.1", "1.0"):
        total = rng.poisson(20, INTERVALS).astype(float)
        slow = rng.binomial(total.astype(int), 0.1).astype(float)
        truth.append((slow, total))
        for bound, counts in (("100", total * 0), ("250", total - slow), ("+Inf", total)):
            buckets.append((labels(version, le=bound), counter(counts)))
    with holding(tmp_path, [], buckets) as url:
        strata = counts_of(url).strata["latency"]
    assert strata.canary_bad.tolist() == truth[0][0].tolist()
    assert strata.canary_total.tolist() == truth[0][1].tolist()
    assert strata.stable_bad.tolist() == truth[1][0].tolist()


def test_a_counter_that_was_away_for_long_is_left_out(tmp_path: Path) -> None:
    """After more than five minutes its whole past would look like one interval's requests."""
    served = np.full(INTERVALS, 50.0)
    away = counter(served, base=1e6)
    away[30:60] = np.nan
    requests = [
        (labels("1.0", response_code="200", instance="a"), away),
        (labels("1.0", response_code="200", instance="b"), counter(served)),
        (labels("1.1", response_code="200", instance="a"), counter(served)),
    ]
    with holding(tmp_path, requests) as url:
        counts = counts_of(url)
    assert counts.dropped == 1
    assert counts.strata["availability"].stable_total.max() == 100


def test_a_release_whose_errors_begin_late_fails(tmp_path: Path) -> None:
    served = np.full(INTERVALS, 90.0)
    few, errors = np.full(INTERVALS, 10.0), np.zeros(INTERVALS)
    errors[90:] = 1
    requests = [
        (labels("1.0", response_code="200"), counter(served, base=1)),
        (labels("1.1", response_code="200"), counter(few)),
        (labels("1.1", response_code="500"), counter(errors, born=True)),
    ]
    with holding(tmp_path, requests) as url:
        judgement = asyncio.run(judge_of(url).judge(QUESTION))
    availability = judgement.cases[0]
    assert availability.rollout.canary_bad.sum() == 10
    assert availability.reason is Reason.REGRESSION
    # There are no histograms in this Prometheus: the other objective is unknown, and waits.
    assert judgement.cases[1].reason is Reason.NO_DATA


def test_a_refused_query_is_a_config_error(tmp_path: Path) -> None:
    with prometheus(tmp_path) as url, pytest.raises(ConfigError, match="parse error"):
        broken = Query("sum(", BEGIN, BEGIN + STEP, STEP)
        asyncio.run(Prometheus(url, lambda *_: None).query_range(broken))


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
        names = ",".join(f'{k}="{v}"' for k, v in labels("1.1", response_code="200").items())
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
    job = f'{{job_name: mesh, static_configs: [{{targets: ["127.0.0.1:{server.server_port}"]}}]}}'
    with closing(server.socket), prometheus(tmp_path, scrape=job) as url:
        counted, weight = asyncio.run(_watch(url))
    server.shutdown()
    assert counted == Exporter.enough * 10
    assert weight == 30


async def _watch(url: str) -> tuple[float, int | None]:
    """The canary's requests once the last scrape is in, and its weight."""
    judge = Judge(Prometheus(url, lambda *_: None), scrape_interval=1)
    indicators = [istio(QUESTION.slo.objectives[0])]
    deadline, settled = time.monotonic() + 60, 0
    counted = 0.0
    while time.monotonic() < deadline and settled < 3:
        await asyncio.sleep(1)
        query = judge.query(QUESTION, indicators)
        counts = read(await judge.source.query_range(query), query, indicators)
        counted = float(counts.strata["availability"].canary_total.sum())
        settled += counted >= Exporter.enough * 10
    return counted, await canary_weight(judge, QUESTION)
