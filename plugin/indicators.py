"""Service level indicators: how each objective becomes (bad, total) counts in Prometheus.

An indicator names a counter, the label its samples are told apart by, and how the counts per value
of that label fold into bad and total. This module holds the preset for Istio's metrics.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from plugin.evidence import Array
from plugin.promql import Matcher
from plugin.question import CanaryArm, StableArm
from plugin.slo import Objective

Fold = Callable[[Mapping[str, Array], int], tuple[Array, Array]]
"""Counts per label value, and the number of intervals → (bad, total) per interval."""


@dataclass(frozen=True)
class Indicator:
    """Where the requests of one objective are counted."""

    objective: Objective
    metric: str
    label: str
    matchers: tuple[Matcher, ...]
    fold: Fold

    @property
    def name(self) -> str:
        return self.objective.name


def istio_arm(namespace: str, arm: CanaryArm | StableArm, reporter: str) -> tuple[Matcher, ...]:
    """The label conditions of one arm's requests.

    `reporter` is which side of a request counts it: the caller ("source") also sees the requests
    that a dead canary never answers, and has both arms in one scrape.
    """
    matchers = [
        Matcher("reporter", "=", reporter),
        Matcher("destination_workload_namespace", "=", namespace),
        Matcher("destination_workload", "=", arm.workload),
    ]
    if arm.version is not None:
        matchers.append(Matcher("destination_version", "=", arm.version))
    if isinstance(arm, StableArm) and arm.not_version is not None:
        matchers.append(Matcher("destination_version", "!=", arm.not_version))
    return tuple(matchers)


def istio(objective: Objective) -> Indicator:
    """The indicator of an objective in Istio's standard metrics."""
    if objective.threshold is None:
        return Indicator(
            objective, "istio_requests_total", "response_code", (), _server_errors_of_all
        )
    bucket = f"{objective.threshold / timedelta(milliseconds=1):g}"
    # Prometheus 3 writes the bound 250 as "250.0", older servers as it was exposed.
    bounds = rf"{bucket.replace('.', '[.]')}([.]0)?|[+]Inf"
    return Indicator(
        objective,
        "istio_request_duration_milliseconds_bucket",
        "le",
        (Matcher("le", "=~", bounds),),
        _above_the_bucket_of_all,
    )


def _server_errors_of_all(counts: Mapping[str, Array], intervals: int) -> tuple[Array, Array]:
    nothing = np.zeros(intervals)
    bad = sum((count for code, count in counts.items() if code.startswith("5")), nothing)
    return bad, sum(counts.values(), nothing)


def _above_the_bucket_of_all(counts: Mapping[str, Array], intervals: int) -> tuple[Array, Array]:
    """Requests slower than the bound. A scrape may see the two buckets unequally: never below 0."""
    nothing = np.zeros(intervals)
    total = counts.get("+Inf", nothing)
    within = sum((count for bound, count in counts.items() if bound != "+Inf"), nothing)
    return np.clip(total - within, 0, None), total
