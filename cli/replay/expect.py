"""What the power formulas say of a plan at the past's typical traffic, to compare a replay with."""

from cli.replay.campaign import Scenario
from cli.replay.history import History
from cli.replay.plan import Plan
from plugin.statistics import power


def median_seconds(history: History, plan: Plan, scenario: Scenario) -> float | None:
    """Until half of the releases are promoted, or (of a regression) aborted in the first stage.

    Half the time between two looks is included. None where the formulas do not reach: a regression
    that takes longer than the first stage, or an identical version that does than all of them.
    """
    warm_up = plan.question.policy.warm_up.total_seconds()
    if scenario.extra:
        found = _stage(history, plan, 0, scenario.objective)
        failing = found.failing(found.base + scenario.extra * (1 - found.base))
        seconds = failing.seconds(0.5) + found.delay + plan.every / 2 + warm_up
        return seconds if seconds <= plan.stages[0].seconds else None
    total = warm_up
    for number in range(len(plan.stages)):
        stages = [_stage(history, plan, number, one.name) for one in plan.objectives]
        passing = [one.passing().seconds(0.5) + one.delay for one in stages]
        total += max(passing) + plan.every / 2
    return total if total <= plan.seconds else None


def _stage(history: History, plan: Plan, number: int, objective: str) -> power.PlannedStage:
    tally, stage = history.tallies[objective], plan.stages[number]
    policy, limits = plan.question.policy, plan.limits(stage)[objective]
    # The formulas know no next stage: its share is put into the margin.
    wider = limits.pass_margin / plan.limits(plan.stages[-1])[objective].pass_margin
    return power.PlannedStage(
        power.Traffic(history.typical / history.step, stage.weight),
        next(one for one in plan.objectives if one.name == objective),
        plan.question.slo,
        policy.model_copy(update={"pass_margin": policy.pass_margin * wider}),
        stage.seconds,
        float(tally.bad.sum() / tally.total.sum()) if tally.total.any() else 0.0,
        plan.scrape,
    )
