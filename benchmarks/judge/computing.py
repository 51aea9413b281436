"""A verdict's own computing time: from Prometheus' bytes to the judgement, on one processor."""

import asyncio
import json
import time

import numpy as np

from plugin.judge import Judge
from plugin.prometheus import Sample, Series
from plugin.prometheus.answers import RangeAnswer, read
from plugin.promql.query import SERIES, Query
from plugin.question import Question

INTERVALS, INDICATORS = 240, 4
_LOOKS = 300
_SCRAPE_SECONDS = 15
_REQUESTS = {"canary": 80, "stable": 720}
_LATENCIES = {"50": ("100", 0.7), "95": ("250", 0.98), "99": ("1000", 0.997)}
_CODES = {"200": 0.97, "301": 0.02, "404": 0.009, "503": 0.001}

QUESTION = Question.model_validate(
    {
        "service": "checkout",
        "namespace": "shop",
        "slo": {
            "availability": 99.5,
            "latency": [
                {"percentile": percentile, "threshold": f"{bound}ms"}
                for percentile, (bound, _) in _LATENCIES.items()
            ],
        },
        "arms": {
            "canary": {"workload": "checkout", "version": "2"},
            "stable": {"workload": "checkout", "not_version": "2"},
        },
        "stage": {"weight": 10},
        "policy": {"lookback": f"{INTERVALS * _SCRAPE_SECONDS}s"},
    }
)


class Bytes:
    """A Prometheus whose answer is there at once, and has to be read as any other."""

    def __init__(self) -> None:
        self._content = b""

    async def query_range(self, query: Query) -> list[Series]:
        self._content = self._content or _answer(query)
        return read(RangeAnswer, self._content).data.result

    async def query(self, text: str) -> list[Sample]:
        raise NotImplementedError(text)


def computing_seconds() -> float:
    """Processor time of a look that was little disturbed: the first decile over several hundred.

    What else runs on the machine can only add to it.
    """
    return asyncio.run(_looks(Bytes(), time.time()))


async def _looks(source: Bytes, now: float) -> float:
    """First looks: to later ones much less is answered."""
    seconds = []
    for _ in range(_LOOKS):
        judge = Judge(source, _SCRAPE_SECONDS, clock=lambda: now)
        began = time.process_time()
        judgement = await judge.judge(QUESTION)
        seconds.append(time.process_time() - began)
        assert len(judgement.cases) == INDICATORS, judgement.why  # noqa: S101 or it were no verdict
    return float(np.percentile(seconds, 10))


def _answer(query: Query) -> bytes:
    rng = np.random.default_rng(1)
    result = []
    for arm, mean in _REQUESTS.items():
        requests = rng.poisson(mean, query.intervals)
        by_code = rng.multinomial(requests, list(_CODES.values())).T
        for code, counts in zip(_CODES, by_code, strict=True):
            result.append(_series(query, f"{arm} availability", {"response_code": code}, counts))
        for percentile, (bound, share) in _LATENCIES.items():
            name = f"{arm} latency_p{percentile}"
            within = rng.binomial(requests, share)
            result.append(_series(query, name, {"le": f"{bound}.0"}, within))
            result.append(_series(query, name, {"le": "+Inf"}, requests))
    data = {"resultType": "matrix", "result": result}
    return json.dumps({"status": "success", "data": data}).encode()


def _series(query: Query, part: str, label: dict[str, str], counts: np.ndarray) -> object:
    times = range(query.start, query.end + 1, query.step)
    values = [[at, str(count)] for at, count in zip(times, counts, strict=True) if count]
    return {"metric": {SERIES: part} | label, "values": values}
