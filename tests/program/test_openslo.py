"""OpenSLO files through the whole program: into the question to the judge, and into the rules."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.settings import ConfigError

Run = Callable[..., list[Any]]
FILES = Path(__file__).parents[1] / "unit" / "components" / "openslo" / "files"


def overlay(file: Path | str) -> dict[str, Any]:
    return {"checkout": {"slo": {"openslo": str(file)}}}


def one(registered: list[Any], kind: str) -> dict[str, Any]:
    (found,) = [
        each
        for each in registered
        if each.type.endswith(f":{kind}") and each.parent.endswith("::checkout")
    ]
    return found.inputs["spec"]


def test_a_file_adds_an_objective_to_the_question_and_to_the_rules(run: Run) -> None:
    registered = run("local", services=overlay(FILES / "documents.yaml"))
    (metric,) = one(registered, "AnalysisTemplate")["metrics"]
    asked = metric["provider"]["web"]["jsonBody"]["slo"]
    assert asked["availability"] == 99
    assert asked["ratios"]["checkout_orders"] == {
        "bad": 'orders_total{job="checkout",outcome="failed"}',
        "total": 'orders_total{job="checkout"}',
        "target": 99.5,
    }
    groups = {group["name"] for group in one(registered, "PrometheusRule")["groups"]}
    assert {
        f"sloth-slo-alerts-checkout-{name}"
        for name in ("availability", "latency", "checkout_orders")
    } <= groups


def test_guesses_about_a_file_do_not_stop_the_program(run: Run) -> None:
    registered = run("local", services=overlay(FILES / "sloppy.yaml"))
    (metric,) = one(registered, "AnalysisTemplate")["metrics"]
    assert "slo_availability" in metric["provider"]["web"]["jsonBody"]["slo"]["ratios"]


def test_a_file_that_is_not_there_is_one_line_without_a_traceback(run: Run) -> None:
    with pytest.raises(ConfigError) as caught:
        run("local", services=overlay("slos/none.yaml"))
    assert str(caught.value) == (
        "checkout.slo.openslo: slos/none.yaml: cannot be read (No such file or directory); the "
        "path is relative to the program"
    )


def test_only_services_with_objectives_have_rules(run: Run) -> None:
    registered = run("local")
    rules = [each for each in registered if each.type.endswith(":PrometheusRule")]
    assert {each.name for each in rules} == {"checkout", "payments"}
    assert not any(each.ignored for each in rules)
