"""Thresholds between two buckets of Istio's histogram cannot be counted: they are refused."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from plugin.slo import SLO
from plugin.slo.buckets import ISTIO_BUCKETS_MS, check_istio_buckets


def slo(*thresholds: str) -> SLO:
    latency = [
        {"percentile": 90 + at, "threshold": threshold} for at, threshold in enumerate(thresholds)
    ]
    return SLO.model_validate({"latency": latency if len(latency) > 1 else latency[0]})


def complaints(*thresholds: str) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        check_istio_buckets(slo(*thresholds))
    return {".".join(map(str, each["loc"])): each["msg"] for each in caught.value.errors()}


def test_a_threshold_between_buckets_is_refused_naming_the_nearest() -> None:
    assert complaints("300ms") == {
        "latency.threshold": "300ms is no bucket of Istio's latency histogram; the nearest: "
        "250ms or 500ms"
    }


def test_of_several_the_wrong_ones_are_named() -> None:
    assert complaints("100ms", "300ms", "3s").keys() == {
        "latency.1.threshold",
        "latency.2.threshold",
    }


@pytest.mark.parametrize(("threshold", "nearest"), [("0.1ms", "0.5ms"), ("2h", "1h")])
def test_a_threshold_beyond_all_buckets_names_the_last(threshold: str, nearest: str) -> None:
    assert complaints(threshold)["latency.threshold"].endswith(f"nearest: {nearest}")


@pytest.mark.parametrize("bucket", ISTIO_BUCKETS_MS)
def test_every_bucket_of_istio_is_a_threshold(bucket: Decimal) -> None:
    check_istio_buckets(slo(f"{bucket}ms"))
