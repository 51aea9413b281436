"""The summary tells at a glance, and the JSON file a script, what did not end as it should."""

import json
from pathlib import Path

from cli.demo import report
from cli.demo.observe import Snapshot
from cli.demo.story import ABORTED, PROMOTED, RATE, Release
from cli.demo.watch import Watched

BAD = Release("1.2.0", "5 % of its requests fail", ABORTED)
VERDICT = {
    "verdict": "fail",
    "reason": "regression",
    "why": "canary fails 5 % of requests",
    "version": "1.2.0-abc",
    "indicators": [
        {
            "name": "availability",
            "verdict": "fail",
            "reason": "regression",
            "canary": {"bad": 5, "total": 100},
            "stable": {"bad": 0, "total": 900},
            "extra": [0.008, 1.0],
        }
    ],
}


def watched(outcome: str) -> Watched:
    return Watched(
        "checkout",
        "argo",
        "1.2.0",
        ABORTED,
        first_traffic=10.0,
        first_fail=22.0,
        ended=24.5,
        outcome=outcome,
        verdict=VERDICT,
    )


def test_a_release_that_ended_as_it_should() -> None:
    found = report.result(watched(ABORTED), BAD, lost=6)
    assert found.as_it_should
    assert (found.to_verdict, found.reaction, found.in_all) == (12.0, 2.5, 24.5)
    assert (found.canary_failed, found.canary_total, found.lost) == (5, 100, 6)


def test_the_budget_is_that_of_thirty_days_at_this_traffic() -> None:
    found = report.result(watched(ABORTED), BAD, lost=0)
    allowed = 0.01 * RATE * 30 * 24 * 3600
    assert found.budget_spent == 5 / allowed


def test_a_bad_release_that_was_promoted_is_marked(tmp_path: Path) -> None:
    found = report.result(watched(PROMOTED), BAD, lost=6)
    assert "✘ checkout" in report.summary([found])
    report.write(tmp_path / "demo.json", [found], 12.0)
    assert json.loads((tmp_path / "demo.json").read_text())["ok"] is False


def test_a_release_that_never_ended_is_not_as_it_should() -> None:
    unfinished = Watched("checkout", "argo", "1.2.0", ABORTED)
    found = report.result(unfinished, BAD, lost=0)
    assert not found.as_it_should
    assert "did not end" in report.summary([found])


def test_the_timeline_shows_the_evidence_of_the_indicator_that_decides() -> None:
    line = report.timeline(watched(ABORTED), Snapshot("Degraded", 0, ABORTED), VERDICT)
    assert "canary 5/100, stable 0/900, extra 0.80% to ?" in line
    assert line.endswith("fail (regression)")
