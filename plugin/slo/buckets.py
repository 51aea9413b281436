"""Istio's request duration histogram, whose buckets are fixed: a threshold has to be one of them.

Other histograms have the buckets their applications gave them; there the counts tell whether the
threshold is one.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from plugin.slo import SLO, Latency
from plugin.slo.units import format_duration

# fmt: off
ISTIO_BUCKETS_MS = (
    Decimal("0.5"), *map(Decimal, (
        1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000,
        600_000, 1_800_000, 3_600_000,
    )),
)
# fmt: on
"""Upper bounds in milliseconds."""


def check_istio_buckets(slo: SLO, within: tuple[str, ...] = ()) -> None:
    """Raise a ValidationError that names each threshold between two buckets, and the nearest.

    `within` leads to the SLO; a validator of pydantic's puts its own path before it.
    """
    problems = [
        InitErrorDetails(type=problem, loc=(*within, *where), input=latency.threshold)
        for where, latency in _written(slo)
        if (problem := _between(latency))
    ]
    if problems:
        raise ValidationError.from_exception_data("SLO", problems)


def _written(slo: SLO) -> list[tuple[tuple[Any, ...], Latency]]:
    """Each latency objective, and where its threshold is written."""
    if len(slo.latency) == 1:
        return [(("latency", "threshold"), slo.latency[0])]
    return [(("latency", at, "threshold"), latency) for at, latency in enumerate(slo.latency)]


def _between(latency: Latency) -> PydanticCustomError | None:
    ms = Decimal(latency.threshold // timedelta(microseconds=1)) / 1000
    if ms in ISTIO_BUCKETS_MS:
        return None
    below = [bound for bound in ISTIO_BUCKETS_MS if bound < ms][-1:]
    above = [bound for bound in ISTIO_BUCKETS_MS if bound > ms][:1]
    nearest = " or ".join(
        format_duration(timedelta(milliseconds=float(bound))) for bound in below + above
    )
    return PydanticCustomError(
        "bucket",
        "{threshold} is no bucket of Istio's latency histogram; the nearest: {nearest}",
        {"threshold": format_duration(latency.threshold), "nearest": nearest},
    )
