"""Rules of services that are measured by their own metrics, evaluated by the real Prometheus."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.manifests import slorules
from components.spec.service import resolve
from tests.contract.support.prometheus import BINARIES
from tests.contract.support.site import SITE

MINUTES = 90
AVAILABILITY = {"availability": 99.9, "metrics": "prom-client"}
LATENCY = {"latency": {"percentile": 95, "threshold": "300ms"}, "metrics": "prom-client"}
BUCKETS = "http_request_duration_seconds_bucket"

NOTHING: dict[str, float] = {}


def pods(app: str = "checkout", version: str = "1.0", **labels: str) -> dict[str, str]:
    """Labels as whoever scrapes a pod copies them, beside the metric's own."""
    return {"namespace": "shop", "app": app, "version": version, **labels}


def series(metric: str, labels: Mapping[str, str], per_minute: Any) -> dict[str, str]:
    """A counter that grows by so many each minute."""
    names = ",".join(f'{name}="{value}"' for name, value in labels.items())
    zero = "{{}}" if isinstance(per_minute, str) else "0"
    return {"series": f"{metric}{{{names}}}", "values": f"{zero}+{per_minute}x{MINUTES}"}


def histogram(labels: Mapping[str, str], **per_minute: float) -> list[dict[str, str]]:
    """A classic one: requests per minute up to each bound, written as in `le_0_3`."""
    bounds = {name.removeprefix("le_").replace("_", "."): n for name, n in per_minute.items()}
    return [
        series(BUCKETS, {**labels, "le": bound.replace("inf", "+Inf")}, each)
        for bound, each in bounds.items()
    ]


def evaluate(
    folder: Path,
    slo: Mapping[str, Any],
    given: Sequence[Mapping[str, str]],
    expected: Mapping[str, Mapping[str, float]],
    alerts: Sequence[str] = (),
) -> None:
    """Hold the records' values, by objective, and the alerts' severities after 90 minutes against
    what is expected. Values are rounded to a hundredth of a percent.
    """
    args = {"image": "shop/checkout:1.0", "slo": slo}
    (rule,) = slorules.objects(resolve("checkout", args, SITE))
    (folder / "rules.yml").write_text(yaml.safe_dump(rule.body["spec"]))
    records = [
        {
            "expr": f"sum by (sloth_slo) (round({record}, 0.0001))",
            "eval_time": f"{MINUTES}m",
            "exp_samples": [
                {"labels": f'{{sloth_slo="{name}"}}', "value": value}
                for name, value in values.items()
            ],
        }
        for record, values in expected.items()
    ]
    records.append(
        {
            "expr": 'count by (sloth_severity) (ALERTS{alertname="ErrorBudgetBurn"})',
            "eval_time": f"{MINUTES}m",
            "exp_samples": [
                {"labels": f'{{sloth_severity="{severity}"}}', "value": 1} for severity in alerts
            ],
        }
    )
    test = {"interval": "1m", "input_series": list(given), "promql_expr_test": records}
    written = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}
    (folder / "test.yml").write_text(yaml.safe_dump(written))
    run = [BINARIES / "promtool", "test", "rules", folder / "test.yml"]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_both_versions_and_flaggers_copy_count_and_nobody_else(tmp_path: Path) -> None:
    """20 of 1000 requests fail: 20 budgets of 0.1 %, so that a freeze holds the next release."""
    ok, failed = {"status_code": "200"}, {"status_code": "503"}
    given = [
        series("http_requests_total", pods(version="1.0", **ok), 500),
        series("http_requests_total", pods(version="1.1", **ok), 180),
        series("http_requests_total", pods(version="1.1", **failed), 20),
        series("http_requests_total", pods("checkout-primary", **ok), 300),
        series("http_requests_total", pods("cart", **failed), 900),
        series("http_requests_total", pods(**failed) | {"namespace": "test"}, 900),
        series(
            "istio_requests_total",
            {
                "reporter": "source",
                "destination_service_namespace": "shop",
                "destination_service_name": "checkout",
                "response_code": "503",
            },
            900,
        ),
    ]
    expected = {
        "slo:sli_error:ratio_rate5m": {"availability": 0.02},
        "slo:sli_error:ratio_rate1h": {"availability": 0.02},
        "slo:period_error_budget_remaining:ratio": {"availability": -19},
    }
    evaluate(tmp_path, AVAILABILITY, given, expected, ["page", "ticket"])


def test_springs_probes_are_no_requests_of_users(tmp_path: Path) -> None:
    given = [
        series("http_server_requests_seconds_count", pods(uri="/pay", status="200"), 90),
        series("http_server_requests_seconds_count", pods(uri="/pay", status="500"), 10),
        series("http_server_requests_seconds_count", pods(uri="/actuator/x", status="200"), 900),
    ]
    slo = AVAILABILITY | {"metrics": "spring"}
    expected = {"slo:sli_error:ratio_rate5m": {"availability": 0.1}}
    evaluate(tmp_path, slo, given, expected, ["page", "ticket"])


def test_latency_is_the_share_beyond_a_bucket_of_the_applications_own(tmp_path: Path) -> None:
    given = histogram(pods(), le_0_1=40, le_0_3=98, le_inf=100)
    expected = {"slo:sli_error:ratio_rate5m": {"latency": 0.02}}
    evaluate(tmp_path, LATENCY, given, expected)


def test_a_threshold_that_is_no_bucket_wakes_nobody(tmp_path: Path) -> None:
    """Taken for zero, the missing bucket would make every request slow and spend the budget."""
    given = histogram(pods(), le_0_25=98, le_0_5=99, le_inf=100)
    expected = {
        "slo:sli_error:ratio_rate5m": NOTHING,
        "slo:sli_bad:rate5m": NOTHING,
        "slo:sli_total:rate5m": NOTHING,
        "slo:period_error_budget_remaining:ratio": NOTHING,
    }
    evaluate(tmp_path, LATENCY, given, expected)


def test_a_version_that_gets_the_bucket_is_counted_from_then_on(tmp_path: Path) -> None:
    """The release that adds it does not have to wait until no pod is without it."""
    given = [
        *histogram(pods(version="1.0"), le_0_25=98, le_inf=100),
        *histogram(pods(version="1.1"), le_0_25=80, le_0_3=98, le_inf=100),
    ]
    expected = {
        "slo:sli_error:ratio_rate5m": {"latency": 0.02},
        "60 * slo:sli_total:rate5m": {"latency": 100},
    }
    evaluate(tmp_path, LATENCY, given, expected)


# In the buckets (0.125, 0.25] and (0.25, 0.5].
NATIVE = "{{{{schema:0 count:{count} sum:1 offset:-2 buckets:[{fast} {slow}]}}}}"


@pytest.mark.parametrize(("fast", "slow"), [(98, 2), (100, 0)])
def test_a_native_histogram_is_exact_at_the_bounds_of_its_buckets(
    tmp_path: Path, fast: int, slow: int
) -> None:
    per_minute = NATIVE.format(count=fast + slow, fast=fast, slow=slow)
    given = [
        series("http_request_duration_seconds", pods(version="1.0"), per_minute),
        series("http_request_duration_seconds", pods("checkout-primary"), per_minute),
    ]
    slo = {"latency": {"percentile": 95, "threshold": "250ms"}, "histograms": "native"}
    expected = {
        "slo:sli_error:ratio_rate1h": {"latency": slow / 100},
        "60 * slo:sli_total:rate5m": {"latency": 200},
        "slo:period_error_budget_remaining:ratio": {"latency": 1 - slow / 5},
    }
    evaluate(tmp_path, AVAILABILITY | slo, given, expected)


def test_a_native_histogram_that_stands_still_is_no_number_and_no_failure(tmp_path: Path) -> None:
    """One "not a number" would stay in the error budget for the whole window."""
    still = NATIVE.format(count=0, fast=0, slow=0)
    given = [series("http_request_duration_seconds", pods(), still)]
    slo = LATENCY | {"histograms": "native"}
    expected = {
        "slo:sli_error:ratio_rate5m": NOTHING,
        "slo:sli_bad:rate5m": NOTHING,
        "slo:period_error_budget_remaining:ratio": NOTHING,
    }
    evaluate(tmp_path, slo, given, expected)
