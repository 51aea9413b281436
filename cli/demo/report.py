"""What a person and a script read of the demo: timeline lines, the summary, the JSON file."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from cli.demo.observe import Snapshot
from cli.demo.story import OBJECTIVE, RATE, Release
from cli.demo.watch import Verdict, Watched

BUDGET_DAYS = 30


@dataclass(frozen=True)
class Result:
    """How one release of one service ended. Times in seconds: `to_verdict` from the canary's first
    request to the judge's first fail or the last stage's end, `in_all` since `pulumi up`.
    `budget_spent` is the fraction of the 30-day error budget that the canary's failed requests
    took, at the demo's traffic; `reaction` runs from the judge's first fail to weight 0.
    """

    service: str
    controller: str
    tag: str
    title: str
    incident: bool
    expected: str
    outcome: str | None
    to_verdict: float | None
    in_all: float | None
    reaction: float | None
    canary_failed: int
    canary_total: int
    budget_spent: float
    lost: int
    reason: str
    why: str

    @property
    def as_it_should(self) -> bool:
        return self.outcome == self.expected


def timeline(watched: Watched, snapshot: Snapshot, verdict: Verdict | None) -> str:
    """One line: time, phase, weight, counts per arm, extra bad ratio, verdict, reason."""
    line = (
        f"{watched.elapsed():6.1f} s  {watched.service:<9}{watched.tag:<7}"
        f"{snapshot.phase:<12} {snapshot.weight:>3} %"
    )
    if not verdict:
        return line
    return f"{line}  {_evidence(verdict)}  {verdict['verdict']} ({verdict['reason']})"


def result(watched: Watched, release: Release, lost: int) -> Result:
    """`lost` is how many requests callers saw fail meanwhile."""
    verdict = watched.verdict or {}
    counts = _indicator(verdict, "availability").get("canary", {"bad": 0, "total": 0})
    allowed = (100 - OBJECTIVE) / 100 * RATE * BUDGET_DAYS * 86400
    started, decided = watched.first_traffic, watched.first_fail or watched.ended
    return Result(
        service=watched.service,
        controller=watched.controller,
        tag=watched.tag,
        title=release.title,
        incident=release.incident,
        expected=watched.expected,
        outcome=watched.outcome,
        to_verdict=decided - started if decided and started else None,
        in_all=watched.ended,
        reaction=watched.ended - watched.first_fail
        if watched.ended and watched.first_fail
        else None,
        canary_failed=round(counts["bad"]),
        canary_total=round(counts["total"]),
        budget_spent=counts["bad"] / allowed,
        lost=lost,
        reason=verdict.get("reason", ""),
        why=verdict.get("why", ""),
    )


def summary(results: Sequence[Result]) -> str:
    """What became of each release, for a person."""
    lines = ["", "What became of each release"]
    for (tag, title, expected), group in groupby(results, lambda r: (r.tag, r.title, r.expected)):
        lines.append(f"{tag}: {title}; should be {expected}")
        lines += [_line(found) for found in group]
    return "\n".join(lines)


def _line(found: Result) -> str:
    mark = "✔" if found.as_it_should else "✘"
    verdict = "no verdict" if found.to_verdict is None else f"verdict {found.to_verdict:4.0f} s"
    return (
        f"  {mark} {found.service:<9}{found.controller:<8} {found.outcome or 'did not end':<9}"
        f" {verdict}, canary failed {found.canary_failed} of {found.canary_total} requests"
        f" ({found.budget_spent:.3%} of the 30-day budget), callers saw {found.lost} failures"
    )


def write(path: Path, results: Sequence[Result], seconds: float) -> None:
    """The same as JSON, for a script."""
    document = {
        "ok": all(found.as_it_should for found in results),
        "seconds": round(seconds, 1),
        "releases": [asdict(found) | {"ok": found.as_it_should} for found in results],
    }
    path.write_text(json.dumps(document, indent=1))


def _evidence(verdict: Verdict) -> str:
    """Of the indicator that decided, or of the first."""
    deciding = next(
        (found for found in verdict["indicators"] if found["reason"] == verdict["reason"]),
        verdict["indicators"][0] if verdict["indicators"] else None,
    )
    if deciding is None:
        return "no counts"
    low, high = deciding["extra"]
    arms = f"canary {_arm(deciding['canary'])}, stable {_arm(deciding['stable'])}"
    return f"{deciding['name']}: {arms}, extra {_percent(low)} to {_percent(high)}"


def _arm(counts: dict[str, float]) -> str:
    return f"{counts['bad']:.0f}/{counts['total']:.0f}"


def _percent(ratio: float) -> str:
    """An end of the interval at 1 or -1 is where nothing is known yet."""
    return "?" if abs(ratio) >= 1 else f"{ratio:.2%}"


def _indicator(verdict: Verdict, name: str) -> dict[str, Any]:
    return next((found for found in verdict.get("indicators", []) if found["name"] == name), {})
