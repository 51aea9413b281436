"""What a replay found out, counted, and what makes that less than it seems. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, isfinite

import numpy as np

from cli.replay.campaign import Results, Scenario
from cli.replay.expect import median_seconds
from cli.replay.history import History
from cli.replay.plan import Plan
from cli.replay.proof import PROMOTED
from cli.replay.recommend import Advice
from cli.replay.simulate import Ending
from cli.replay.words import percent, share

GIVEN, ADVISED = "as given", "recommended"


@dataclass(frozen=True)
class Row:
    """What became of a scenario's releases.

    Times are seconds since the canary's first request until half and 90 % of all releases were
    promoted (identical versions) or aborted (regressions); None if fewer ever were. `expected` is
    the median by the power formulas, `canary_bad` how many requests the canary failed until then,
    at the median.
    """

    plan: str
    objective: str
    extra: float
    releases: int
    promoted: int
    held: int
    aborted: int
    median: float | None
    p90: float | None
    expected: float | None
    canary_bad: float | None


@dataclass(frozen=True)
class Report:
    """All that a replay found out, once it is over: `results` grow no more.

    `plans` are by name; `faults` say why hours could not be read; `interrupted` means that there
    was more to do.
    """

    advice: Advice
    plans: Mapping[str, Plan]
    scenarios: Sequence[Scenario]
    results: Results
    faults: Sequence[str] = ()
    interrupted: bool = False

    @cached_property
    def rows(self) -> Sequence[Row]:
        """Of the scenarios that have releases."""
        return [
            row(self.results, one, median_seconds(self.history, self.plans[one.plan], one))
            for one in self.scenarios
            if self.results.count(one)
        ]

    @property
    def advised(self) -> str:
        """The name of the recommended plan, which may be the one that was given."""
        return ADVISED if ADVISED in self.plans else GIVEN

    @property
    def history(self) -> History:
        return self.advice.findings.history


def row(results: Results, scenario: Scenario, expected: float | None) -> Row:
    """Time to promote of an identical version, time to catch of a regression."""
    telling = Ending.ABORTED if scenario.extra else Ending.PROMOTED
    ended = [one.outcome for one in results.endings(scenario, telling)]
    never = [inf] * (results.count(scenario) - len(ended))
    seconds = [outcome.seconds for outcome in ended] + never
    bad = [outcome.canary_bad.get(scenario.objective, 0.0) for outcome in ended]
    return Row(
        scenario.plan,
        scenario.objective,
        scenario.extra,
        results.count(scenario),
        len(results.endings(scenario, Ending.PROMOTED)),
        len(results.endings(scenario, Ending.HELD)),
        len(results.endings(scenario, Ending.ABORTED)),
        _quantile(seconds, 0.5),
        _quantile(seconds, 0.9),
        expected,
        float(np.median(bad)) if bad and scenario.extra else None,
    )


def _quantile(seconds: Sequence[float], q: float) -> float | None:
    found = float(np.quantile(seconds, q, method="higher"))
    return found if isfinite(found) else None


def warnings(report: Report) -> list[str]:
    """What makes the numbers above less than they seem."""
    history, found = report.history, []
    if report.interrupted:
        done = "the tables hold what was done until then"
        found.append(f"interrupted: {done if report.rows else 'nothing has been replayed'}")
    if history.unread:
        fault = f" ({report.faults[0]})" if report.faults else ""
        found.append(f"hours that could not be read: {len(history.unread)}{fault}")
    empty = history.hours - len(history.usable) - len(history.unread)
    if empty > 0:
        found.append(f"hours without requests, or with more than half missing: {empty}")
    if history.torn > 0.01:
        found.append(f"{history.torn:.1%} of the intervals have no counts: missed scrapes?")
    if any(history.dropped.values()):
        counts = ", ".join(f"{count} of {name}" for name, count in history.dropped.items() if count)
        found.append(
            f"intervals left out, as the judge does: {counts}, with so much more than usual that "
            "it is a counter that was away"
        )
    first = report.plans[GIVEN].stages[0]
    per_interval = history.typical * first.weight / 100
    if per_interval < 1:
        found.append(
            f"too little traffic: at {first.weight} % the canary gets {per_interval:.2g} requests "
            f"per {history.step} s; begin with a larger weight"
        )
    if not report.advice.provable:
        found.append(
            "this traffic proves no release harmless in time: expect held releases; give stages a "
            "larger weight, or say with on_undecided what happens when their time is over"
        )
    found += [
        f"{share(one.promoted, one.releases)} of identical releases are promoted with the "
        f"recommended settings, and {PROMOTED:.0%} should be: give a longer --since, so that more "
        "hours tell what stages need, or give stages more time than recommended"
        for one in report.rows
        if one.plan == report.advised
        and not one.extra
        and report.advice.provable
        and surely_above(one.releases - one.promoted, one.releases, 1 - PROMOTED)
    ]
    found += [
        f"{share(one.aborted, one.releases)} of identical releases are aborted with the settings "
        f"{one.plan}, {percent(allowed)} are allowed"
        for one in report.rows
        if not one.extra
        and (allowed := report.plans[one.plan].question.policy.false_abort)
        and surely_above(one.aborted, one.releases, allowed)
    ]
    return found


def surely_above(count: int, of: int, allowed: float) -> bool:
    """Whether so many could hardly be chance (three standard deviations) at the allowed ratio."""
    return count - of * allowed > 3 * (of * allowed * (1 - allowed)) ** 0.5
