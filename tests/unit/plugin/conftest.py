"""A question, counts and a Prometheus to build tests from."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from plugin.prometheus import Sample, Series
from plugin.promql.query import SERIES, Query
from plugin.question import Question
from plugin.statistics.evidence import Strata


@pytest.fixture
def asked() -> dict[str, Any]:
    """A question as a controller sends it."""
    return {
        "service": "checkout",
        "namespace": "shop",
        "slo": {"availability": 99.0, "latency": {"percentile": 95, "threshold": "250ms"}},
        "arms": {
            "canary": {"workload": "checkout", "version": "1.1.0-0a1b2c3d"},
            "stable": {"workload": "checkout", "not_version": "1.1.0-0a1b2c3d"},
        },
        "stage": {"weight": 10},
    }


@pytest.fixture
def question(asked: dict[str, Any]) -> Question:
    return Question.model_validate(asked)


@pytest.fixture
def strata() -> Callable[..., Strata]:
    """Strata from (canary bad, canary total, stable bad, stable total) per interval."""

    def build(*intervals: Sequence[float]) -> Strata:
        return Strata(*np.array(intervals, dtype=np.float64).reshape(-1, 4).T)

    return build


class Traffic:
    """Stands in for Prometheus: answers with the counts it is given, newest interval last.

    `arms` maps "canary" and "stable" to (total, errors, slow) per interval; `error` is raised
    instead, `weight` is what Flagger reports, and `budget` what recording rules say is left of it.
    `values` are those of signals, per part of the query and interval, and `status` is what an arm's
    good requests are labelled with. `queries` and `texts` are what was asked, ranges and instants.
    """

    def __init__(self) -> None:
        self.arms: dict[str, Sequence[tuple[float, float, float]]] = {}
        self.error: Exception | None = None
        self.weight: float | None = None
        self.budget: dict[str, float] = {}
        self.values: dict[str, Sequence[float]] = {}
        self.status: dict[str, str] = {}
        self.age = 0
        self.queries: list[Query] = []
        self.texts: list[str] = []

    def steady(self, intervals: int = 60, **arms: tuple[float, float, float]) -> "Traffic":
        self.arms = {arm: [counts] * intervals for arm, counts in arms.items()}
        return self

    async def query_range(self, query: Query) -> list[Series]:
        self.queries.append(query)
        if self.error:
            raise self.error
        series = []
        for arm, intervals in self.arms.items():
            total = [one[0] for one in intervals]
            errors = [one[1] for one in intervals]
            within = [one[0] - one[2] for one in intervals]
            good = [all_ - bad for all_, bad in zip(total, errors, strict=True)]
            for part, label, counts in (
                ("availability", {"response_code": self.status.get(arm, "200")}, good),
                ("availability", {"response_code": "503"}, errors),
                ("latency", {"le": "+Inf"}, total),
                ("latency", {"le": "250.0"}, within),
            ):
                series.append(self._series(query, f"{arm} {part}", label, counts))
        series += [self._series(query, part, {}, values) for part, values in self.values.items()]
        return series

    def _series(
        self, query: Query, part: str, label: Mapping[str, str], counts: Sequence[float]
    ) -> Series:
        last = query.end - query.step * self.age
        times = [last - query.step * back for back in range(len(counts))][::-1]
        values = [
            (float(time), count)
            for time, count in zip(times, counts, strict=True)
            if count and time >= query.start
        ]
        return Series(metric={SERIES: part, **label}, values=values)

    async def query(self, text: str) -> list[Sample]:
        self.texts.append(text)
        if self.error:
            raise self.error
        if "error_budget_remaining" in text:
            return [
                Sample(metric={"sloth_slo": name}, value=(0, left))
                for name, left in self.budget.items()
            ]
        assert "flagger_canary_weight" in text
        return [] if self.weight is None else [Sample(metric={}, value=(0, self.weight))]


@pytest.fixture
def traffic() -> Traffic:
    return Traffic()
