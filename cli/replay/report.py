"""The result of a replay for a person."""

from collections.abc import Iterator
from math import isfinite

from rich.console import Console
from rich.table import Table

from cli.replay.plan import Plan
from cli.replay.recommend import Advice
from cli.replay.result import GIVEN, Report, warnings
from cli.replay.words import percent, points, seconds, share, time
from plugin.slo.units import format_duration


def write(console: Console, report: Report) -> None:
    _history(console, report)
    _advice(console, report)
    if report.rows:
        _replayed(console, report)
    for line in warnings(report):
        console.print(f"! {line}", style="yellow", soft_wrap=True, highlight=False)


def _history(console: Console, report: Report) -> None:
    history = report.history
    rate = history.typical / history.step
    console.print(
        f"History: {history.hours} hours, {len(history.usable)} of them complete enough; "
        f"typically {rate:,.3g} requests/s",
        soft_wrap=True,
        highlight=False,
    )
    for name, tally in history.tallies.items():
        ratio = tally.bad.sum() / tally.total.sum() if tally.total.any() else 0.0
        console.print(
            f"  {name}: {tally.bad.sum():,.0f} of {tally.total.sum():,.0f} requests bad "
            f"({percent(ratio)})",
            soft_wrap=True,
            highlight=False,
        )


def _advice(console: Console, report: Report) -> None:
    advice, given = report.advice, report.plans[GIVEN]
    console.print("\nHow much failures come in clumps (φ; 1 is independent)", highlight=False)
    table = Table(
        "objective", "window", "25 % of hours", "median", "75 %", "90 %", box=None, pad_edge=False
    )
    for name, windows in advice.findings.dispersions.items():
        for one in windows:
            quantiles = [one.quantile(q) for q in (0.25, 0.5, 0.75, 0.9)]
            shown = ["-" if q is None else f"{q:.2f}" for q in quantiles]
            table.add_row(name, f"{one.seconds} s", *shown)
    console.print(table)
    weights = [f"{stage.weight} %" for stage in given.stages]
    console.print(
        "\nWhen nine of ten identical versions have passed, by pass margin (error budgets)",
        highlight=False,
    )
    table = Table("pass_margin", *weights, box=None, pad_edge=False)
    for margin, needed in advice.needed.items():
        table.add_row(f"{margin:g}", *(seconds(one) for one in needed))
    console.print(table)
    console.print("\nRecommended", highlight=False)
    table = Table("setting", "given", "better", "why", box=None, pad_edge=False)
    for setting in _settings(report):
        table.add_row(*setting)
    console.print(table)
    console.print(f"As options: {options(advice.plan)}", soft_wrap=True, highlight=False)


def options(plan: Plan) -> str:
    """The plan as one would write it on the command line; of the policy what replays recommend."""
    policy = plan.question.policy
    written = {"burst": f"{policy.burst:g}", "pass_margin": f"{policy.pass_margin:g}"}
    if policy.warm_up:
        written["warm_up"] = format_duration(policy.warm_up)
    pairs = ",".join(f"{key}={value}" for key, value in written.items())
    stages = ",".join(f"{stage.weight}:{time(stage)}" for stage in plan.stages)
    return f"--policy {pairs} --stages {stages}"


def _settings(report: Report) -> Iterator[tuple[str, str, str, str]]:
    """(setting, as given, as recommended, why)."""
    advice, given = report.advice, report.plans[GIVEN]
    before, after = given.question.policy, advice.plan.question.policy
    yield "burst", f"{before.burst:g}", f"{after.burst:g}", _why_burst(advice)
    warm_up = format_duration(before.warm_up), format_duration(after.warm_up)
    yield "warm_up", *warm_up, _why_warm_up(advice)
    margins = f"{before.pass_margin:g}", f"{after.pass_margin:g}"
    yield "pass_margin", *margins, _why_pass(report)
    margins = f"{before.fail_margin:g}", f"{after.fail_margin:g}"
    yield "fail_margin", *margins, _why_fail(report)
    stages = zip(given.stages, advice.plan.stages, advice.stage_seconds, strict=True)
    for was, better, needed in stages:
        why = f"passes within {seconds(needed)}" if isfinite(needed) else "an hour is not enough"
        yield f"stage {was.weight} %", time(was), time(better), why


def _why_burst(advice: Advice) -> str:
    failures = sum(windows[0].failures for windows in advice.findings.dispersions.values())
    if any(one.blocks for windows in advice.findings.clumps.values() for one in windows):
        return "φ in three of four hours, at an interval or a minute"
    return f"{failures} failures are too few to measure φ: kept"


def _why_warm_up(advice: Advice) -> str:
    warm_up = advice.findings.warm_up
    if warm_up is None:
        return "fewer than three past releases are visible: kept"
    young, settled = percent(warm_up.young), percent(warm_up.settled)
    seen = f"past releases ({warm_up.releases})"
    if not warm_up.seconds:
        return f"{seen} failed {young} when young, later {settled}: kept"
    return f"{seen} failed {young} in their first {warm_up.seconds} s, later {settled}"


def _why_pass(report: Report) -> str:
    advice, given = report.advice, report.plans[GIVEN].question.policy.pass_margin
    if not advice.provable:
        return "none is proven in time at this traffic: kept"
    needed = max(advice.needed[given])
    if advice.plan.question.policy.pass_margin == given:
        return f"proven within {seconds(needed)} in every stage"
    let_through = ", ".join(
        f"{name} +{points(limits.pass_margin)}"
        for name, limits in advice.plan.limits(advice.plan.stages[-1]).items()
    )
    return f"{given:g} takes {seconds(needed)} in a stage; this promotes up to {let_through}"


def _why_fail(report: Report) -> str:
    plan, history = report.advice.plan, report.history
    daily = history.traffic.sum() / max(1, len(history.usable)) * 24
    name, limits = next(iter(plan.limits(plan.stages[-1]).items()))
    return (
        f"tolerates {points(limits.fail_margin)} more of {name}, "
        f"{limits.fail_margin * daily:,.0f} requests a day"
    )


def _replayed(console: Console, report: Report) -> None:
    for plan in report.plans:
        rows = [one for one in report.rows if one.plan == plan]
        console.print(
            f"\nReplayed with the settings {plan}: {rows[0].releases} releases of each kind",
            highlight=False,
        )
        columns = ("release", "promoted", "held", "aborted", "median", "90 %", "formula", "failed")
        table = Table(*columns, box=None, pad_edge=False)
        for one in rows:
            table.add_row(
                f"{one.objective} +{points(one.extra)}" if one.extra else "identical",
                *(share(count, one.releases) for count in (one.promoted, one.held, one.aborted)),
                seconds(one.median),
                seconds(one.p90),
                seconds(one.expected),
                "" if one.canary_bad is None else f"{one.canary_bad:.0f}",
            )
        console.print(table)
    console.print(
        "median, 90 %: until so many identical releases are promoted, or worse ones aborted, since "
        "the canary's first request. formula: the median that the power formulas expect. failed: "
        "the canary's failed requests until it is aborted, at the median.",
        soft_wrap=True,
        highlight=False,
    )
