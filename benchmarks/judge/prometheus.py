"""A real Prometheus that has scraped two services' canaries and stables for two hours."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.judge.process import running

SCRAPE_SECONDS = 15
_CODES = {"200": 0.95, "301": 0.02, "404": 0.029, "503": 0.001}
_BUCKETS = {"100": 0.6, "250": 0.98, "1000": 0.995, "5000": 1.0, "+Inf": 1.0}
_PAST_SECONDS, _FUTURE_SECONDS = 2 * 3600, 1800


@dataclass(frozen=True)
class Service:
    """Each of the pods that call it counts its requests to both arms."""

    name: str
    callers: int

    @property
    def arms(self) -> dict[str, int]:
        """The workloads of canary and stable, and the mean of a caller's requests per scrape to
        each; they are Poisson distributed.
        """
        return {self.name: 2, f"{self.name}-primary": 20}

    @property
    def series(self) -> int:
        return self.callers * len(self.arms) * (len(_CODES) + len(_BUCKETS))

    def __str__(self) -> str:
        return f"{self.callers} callers"


SMALL, LARGE = Service("cart", 12), Service("checkout", 40)


@contextmanager
def prometheus(binaries: Path, folder: Path, processor: int) -> Iterator[tuple[str, int]]:
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
    server = [str(binaries / "prometheus"), *options, listen]
    with running(server, {}, "/-/ready", processor) as started:
        yield started


def _openmetrics(now: float) -> Iterator[str]:
    begin = int(now - _PAST_SECONDS) // SCRAPE_SECONDS * SCRAPE_SECONDS
    times = range(begin, int(now + _FUTURE_SECONDS), SCRAPE_SECONDS)
    rng = np.random.default_rng(1)
    arms = [
        (f'{_labels(workload)},instance="caller-{caller}"', rng.poisson(mean, len(times)))
        for service in (SMALL, LARGE)
        for workload, mean in service.arms.items()
        for caller in range(service.callers)
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
