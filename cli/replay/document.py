"""The result of a replay for a script: one JSON document. Pure."""

from dataclasses import asdict
from math import isfinite
from typing import Any

from cli.replay.result import Report, warnings


def document(report: Report) -> dict[str, Any]:
    """The same for a script; times in seconds, ratios as fractions, infinite ones as null."""
    history, advice = report.history, report.advice
    plan = advice.plan
    return {
        "service": plan.question.service,
        "namespace": plan.question.namespace,
        "interrupted": report.interrupted,
        "history": {
            "start": history.start,
            "hours": history.hours,
            "usable_hours": len(history.usable),
            "interval": history.step,
            "requests_per_second": history.typical / history.step,
            "bad": {name: float(one.bad.sum()) for name, one in history.tallies.items()},
            "total": {name: float(one.total.sum()) for name, one in history.tallies.items()},
        },
        "dispersion": {
            name: [
                {
                    "window": one.seconds,
                    "failures": one.failures,
                    **{f"p{q}": one.quantile(q / 100) for q in (25, 50, 75, 90)},
                }
                for one in windows
            ]
            for name, windows in advice.findings.dispersions.items()
        },
        "recommended": {
            "policy": plan.question.policy.model_dump(mode="json"),
            "provable": advice.provable,
            "seconds_to_pass": {
                f"{margin:g}": [one if isfinite(one) else None for one in needed]
                for margin, needed in advice.needed.items()
            },
            "warm_up": asdict(advice.findings.warm_up) if advice.findings.warm_up else None,
            "stages": [
                {
                    "weight": stage.weight,
                    "time": stage.seconds,
                    "needed": needed if isfinite(needed) else None,
                }
                for stage, needed in zip(plan.stages, advice.stage_seconds, strict=True)
            ],
        },
        "replayed": [asdict(one) for one in report.rows],
        "warnings": warnings(report),
    }
