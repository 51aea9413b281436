"""From a service's own past to the policy and stages that suit it, each with its numbers. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil

from cli.replay import proof
from cli.replay.dispersion import HIGHEST, Dispersion
from cli.replay.plan import Plan, Stage
from cli.replay.proof import Trial
from cli.replay.study import Findings

_QUARTILE = 0.75
_INDEPENDENT = 1.25
"""A dispersion below this is chance."""
_LONGEST_SECONDS = 1800
"""A stage that needs longer calls for a wider margin, unless the team has longer ones anyway."""
_MARGINS = (1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Pass margins to fall back on, in error budgets."""


@dataclass(frozen=True)
class Advice:
    """`plan` is the recommended one; the rest is why.

    `needed` has the seconds per stage, infinite if an hour is not enough, for every pass margin
    that was tried, with all else as recommended. `provable` is False if none of them is proven
    within the longest stage.
    """

    plan: Plan
    findings: Findings
    needed: Mapping[float, Sequence[float]]
    provable: bool

    @property
    def stage_seconds(self) -> Sequence[float]:
        """What the stages of the recommended plan need."""
        return self.needed[self.plan.question.policy.pass_margin]


def advise(plan: Plan, findings: Findings, seed: int) -> Advice:
    """The plan as given, changed only where the history says that it would not do."""
    policy, warm_up, step = plan.question.policy, findings.warm_up, findings.history.step
    changes: dict[str, object] = {"burst": burst(findings.clumps) or policy.burst}
    if warm_up and timedelta(seconds=warm_up.seconds) > policy.warm_up:
        changes["warm_up"] = timedelta(seconds=warm_up.seconds)
    tempered = _with_policy(plan, changes)
    found = [proof.trials(findings, plan, number, seed) for number in range(len(plan.stages))]
    needed = {
        margin: _needed(_with_policy(tempered, {"pass_margin": margin}), step, found)
        for margin in (policy.pass_margin, *(one for one in _MARGINS if one > policy.pass_margin))
    }
    longest = max(_LONGEST_SECONDS, *(stage.seconds for stage in plan.stages))
    margin = next((one for one, times in needed.items() if max(times) <= longest), None)
    if margin is None:
        return Advice(tempered, findings, needed, provable=False)
    stages = tuple(
        Stage(stage.weight, max(stage.seconds, _rounded(seconds)))
        for stage, seconds in zip(plan.stages, needed[margin], strict=True)
    )
    advised = replace(_with_policy(tempered, {"pass_margin": margin}), stages=stages)
    return Advice(advised, findings, needed, provable=True)


def _needed(plan: Plan, step: int, found: Sequence[Sequence[Trial]]) -> Sequence[float]:
    """Seconds per stage; what is left out as warm-up lengthens the first."""
    seconds = [proof.seconds_to_pass(trials, plan, step) for trials in found]
    return [seconds[0] + plan.question.policy.warm_up.total_seconds(), *seconds[1:]]


def burst(clumps: Mapping[str, Sequence[Dispersion]]) -> float | None:
    """φ to temper with, to the half: the upper quartile over the hours, of the worst objective.

    None if nothing could be measured.
    """
    seen = [
        quartile
        for windows in clumps.values()
        for dispersion in windows
        if (quartile := dispersion.quantile(_QUARTILE)) is not None
    ]
    if not seen:
        return None
    worst = max(seen)
    return 1.0 if worst < _INDEPENDENT else min(HIGHEST, round(2 * worst) / 2)


def _with_policy(plan: Plan, changes: Mapping[str, object]) -> Plan:
    policy = plan.question.policy.model_copy(update=dict(changes))
    return replace(plan, question=plan.question.model_copy(update={"policy": policy}))


def _rounded(seconds: float) -> int:
    """Up to whole minutes, above ten to five of them."""
    minutes = ceil(seconds / 60)
    return 60 * (minutes if minutes <= 10 else 5 * ceil(minutes / 5))
