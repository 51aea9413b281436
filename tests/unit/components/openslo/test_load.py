"""OpenSLO files as they are published: what is understood, with a word about each guess."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from components.openslo import Imported, OpenSLOError, load
from plugin.slo import SLO

FILES = Path(__file__).parent / "files"


def imported(file: str, service: str) -> Imported:
    return load((FILES / file).read_text(), file, service)


def ratios(result: Imported) -> dict[str, Any]:
    SLO.model_validate(result.slo)
    return dict(result.slo["ratios"])


def test_a_list_of_objects_that_refer_to_each_other() -> None:
    result = imported("list.yaml", "search")
    assert ratios(result) == {
        "search_availability": {
            "good": 'search_requests_total{job="search",result!="error"}',
            "total": 'search_requests_total{job="search"}',
            "target": Decimal("99.95"),
        }
    }
    assert result.slo["window"] == "4w"
    assert result.warnings == ()


def test_of_several_documents_only_those_of_the_service_are_read() -> None:
    """Another service's objectives may be of a kind that is refused: that is not our business."""
    result = imported("documents.yaml", "checkout")
    assert ratios(result) == {
        "checkout_orders": {
            "bad": 'orders_total{job="checkout",outcome="failed"}',
            "total": 'orders_total{job="checkout"}',
            "target": Decimal("99.5"),
        }
    }
    assert result.warnings == ()


def test_sloppiness_is_understood_and_told() -> None:
    result = imported("sloppy.yaml", "checkout")
    assert ratios(result) == {
        "slo_availability": {
            "good": 'http_requests_total{job="checkout",code!~"5.."}',
            "total": 'http_requests_total{job="checkout"}',
            "target": Decimal("99.9"),
        }
    }
    assert result.slo["window"] == "4w"
    at = "sloppy.yaml: SLO Availability: spec."
    assert list(result.warnings) == [
        f"{at}budgetingMethod: is missing; taken for Occurrences",
        f"{at}alertPolicies: is passed over: Sluice makes its own burn-rate alerts",
        f"{at}objectives.0.op: means nothing for a ratioMetric and is passed over",
        f"{at}indicator.spec.ratioMetric.counter: is missing; taken for true",
        f"{at}indicator.spec.ratioMetric.total.metricSource.type: is missing; taken for Prometheus",
        f"{at}objectives.0.timeWindow: belongs to spec; taken for the SLO's",
        f"{at}objectives.0.timeWindow: a calendar window is counted as a rolling one of 4w: the "
        "error budget does not begin anew with the calendar",
    ]


def test_a_threshold_on_a_histogram_becomes_a_share_of_requests() -> None:
    result = imported("threshold.yaml", "checkout")
    total = 'http_request_duration_seconds_bucket{job="checkout",le=~"[+]Inf"}'
    assert ratios(result) == {
        "checkout_speed_1": {
            "good": 'http_request_duration_seconds_bucket{job="checkout",le=~"0[.]5"}',
            "total": total,
            "target": Decimal(95),
        },
        "checkout_speed_2": {
            "good": 'http_request_duration_seconds_bucket{job="checkout",le=~"2[.]5"}',
            "total": total,
            "target": Decimal(99),
        },
    }
    assert result.slo["window"] == "30d"
    (warning,) = result.warnings
    assert "objectives.1.op: taken for lte" in warning


def test_a_file_that_calls_its_service_otherwise_is_taken_for_ours() -> None:
    result = imported("list.yaml", "finder")
    assert "search_availability" in ratios(result)
    assert result.warnings == ("list.yaml: its objectives are those of search; taken for finder's",)


def test_a_file_of_several_other_services_is_refused() -> None:
    with pytest.raises(OpenSLOError) as caught:
        imported("documents.yaml", "search")
    assert str(caught.value) == (
        "documents.yaml: its objectives are those of checkout, payments; none has service: search"
    )
