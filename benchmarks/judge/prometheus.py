"""A real Prometheus that has scraped one service's canary and stable for two hours."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.judge.process import running

PODS = 40
SCRAPE_SECONDS = 15
CANARY, STABLE = "checkout", "checkout-primary"
_REQUESTS = {CANARY: 2, STABLE: 20}
"""Per scrape and pod: the means of Poisson distributions."""
_CODES = {"200": 0.95, "301": 0.02, "404": 0.029, "503": 0.001}
_BUCKETS = {"100": 0.6, "250": 0.98, "1000": 0.995, "5000": 1.0, "+Inf": 1.0}
SERIES = PODS * 2 * (len(_CODES) + len(_BUCKETS))
_PAST_SECONDS, _FUTURE_SECONDS = 2 * 3600, 1800


@contextmanager
def prometheus(binaries: Path, folder: Path) -> Iterator[tuple[str, int]]:
    """Yields its URL and process id.

    The series go on for half an hour, so that the judge's "now" has counts.
    """
    source, config = folder / "series.txt", folder / "prometheus.yml"
    with source.open("w") as lines:
        lines.writelines(_openmetrics(time.time()))
    command = [binaries / "promtool", "tsdb", "create-blocks-from", "openmetrics", source]
    subprocess.run([*command, folder / "data"], check=True, capture_output=True)
    config.write_text("scrape_configs: []\n")
    options = [f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    listen = "--web.listen-address=127.0.0.1:{port}"
    with running([str(binaries / "prometheus"), *options, listen], {}, "/-/ready") as started:
        yield started


def _openmetrics(now: float) -> Iterator[str]:
    begin = int(now - _PAST_SECONDS) // SCRAPE_SECONDS * SCRAPE_SECONDS
    times = range(begin, int(now + _FUTURE_SECONDS), SCRAPE_SECONDS)
    rng = np.random.default_rng(1)
    arms = [
        (f'{_labels(workload)},instance="caller-{pod}"', rng.poisson(mean, len(times)))
        for workload, mean in _REQUESTS.items()
        for pod in range(PODS)
    ]
    yield "# TYPE istio_requests counter\n"
    for labels, requests in arms:
        counts = rng.multinomial(requests, list(_CODES.values()))
        for code, of_code in zip(_CODES, counts.T, strict=True):
            name = f'istio_requests_total{{{labels},response_code="{code}"}}'
            yield from _samples(name, times, of_code)
    yield "# TYPE istio_request_duration_milliseconds histogram\n"
    for labels, requests in arms:
        for bound, share in _BUCKETS.items():
            name = f'istio_request_duration_milliseconds_bucket{{{labels},le="{bound}"}}'
            yield from _samples(name, times, np.floor(requests * share))
    yield "# EOF\n"


def _labels(workload: str) -> str:
    return (
        'reporter="source",destination_workload_namespace="shop",'
        f'destination_workload="{workload}",destination_version="1"'
    )


def _samples(name: str, times: range, counts: np.ndarray) -> Iterator[str]:
    for at, value in zip(times, np.cumsum(counts), strict=True):
        yield f"{name} {value:.0f} {at}\n"
