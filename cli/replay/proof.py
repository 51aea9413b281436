"""What a stage can prove of an identical version at past traffic, and how long that takes. Pure.

It uses the judge's own evidence on splits of the history, without the rules around it (incidents,
shares): `simulate` is what decides by those.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil, inf

import numpy as np

from cli.replay.plan import Plan
from cli.replay.split import split
from cli.replay.study import Findings
from plugin.statistics.evidence import AT_ONCE, SAFE, Process, Strata

HORIZON_SECONDS = 3600
"""How long a proof is waited for: what takes longer is not known to come."""

PROMOTED = 0.9
"""The fraction of good releases that are to pass all of their stages in time."""

_LEAST_TRIALS = 100
"""With fewer past hours each is split more than once: the quantile that is read off would be the
slowest of them, which is chance."""
_MOST_HOURS = 200


@dataclass(frozen=True)
class Trial:
    """One stage of a plan over one past hour: the identical version's counts per objective."""

    stage: int
    arms: Mapping[str, Strata]


def trials(findings: Findings, plan: Plan, stage: int, seed: int) -> list[Trial]:
    """At most `_MOST_HOURS` past hours, evenly chosen, each as the stage of this number, and so
    often that there are `_LEAST_TRIALS`.
    """
    history, weight = findings.history, plan.stages[stage].weight
    hours = [int(hour) for hour in history.usable]
    hours = hours[:: len(hours) // _MOST_HOURS + 1]
    found = []
    for hour, number in product(hours, range(ceil(_LEAST_TRIALS / max(1, len(hours))))):
        begin = hour * history.per_hour
        here = slice(begin, begin + HORIZON_SECONDS // history.step)
        rng = np.random.default_rng([seed, weight, hour, number])
        arms = {name: split(rng, one[here], weight / 100) for name, one in findings.past.items()}
        found.append(Trial(stage, arms))
    return found


def seconds_to_pass(found: Sequence[Trial], plan: Plan, step: int) -> float:
    """Within this time so many trials have proven all objectives that `PROMOTED` of the releases
    pass all stages; infinite if they never do.

    Until the proof is seen: the lag of the counts and the time between two looks included.
    """
    times = [max(_proven(trial, plan, step)) for trial in found]
    each = PROMOTED ** (1 / len(plan.stages))
    proven = float(np.quantile(times, each, method="higher")) if times else inf
    return proven + plan.lag + plan.every


def _proven(trial: Trial, plan: Plan, step: int) -> Iterator[float]:
    policy = plan.question.policy
    for name, limits in plan.limits(plan.stages[trial.stage]).items():
        strata = trial.arms[name]
        at = np.flatnonzero(strata.comparable)
        process = Process.of(strata, SAFE, policy.ratio, policy.burst)
        log_e = process.course(limits.pass_margin, AT_ONCE)
        enough = np.cumsum(strata.canary_total)[at] >= policy.min_requests
        passed = np.flatnonzero((log_e >= -np.log(limits.pass_level)) & enough)
        yield (int(at[passed[0]]) + 1) * step if len(passed) else inf
