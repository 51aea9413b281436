"""One release over the past, stage by stage, decided by the judge's own rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor

import numpy as np

from cli.replay.plan import Plan
from cli.replay.split import Past, Random, split
from plugin.counts import Counts
from plugin.statistics.evidence import Strata
from plugin.verdict import Case, Verdict, decide, weigh


class Ending(StrEnum):
    PROMOTED = "promoted"
    ABORTED = "aborted"
    HELD = "held"


@dataclass(frozen=True)
class Outcome:
    """How a replayed release ended, `seconds` after its first request.

    `canary_bad` are the canary's failures by objective until then.
    """

    ending: Ending
    seconds: float
    canary_bad: Mapping[str, float]


class _Arms:
    """The two arms as they fill while the release goes on."""

    def __init__(self, rng: Random, past: Mapping[str, Past], extra: Mapping[str, float]) -> None:
        self._rng, self._past, self._extra = rng, past, extra
        length = min(len(one) for one in past.values())
        self._arms = {name: Strata(*np.zeros((4, length))) for name in past}
        self._filled, self._length = 0, length

    def fill(self, until: int, weight: float) -> None:
        """The intervals up to this one were served with this weight."""
        here = slice(self._filled, min(until, self._length))
        if here.start >= here.stop:
            return
        for name, past in self._past.items():
            part = split(self._rng, past[here], weight, self._extra.get(name, 0.0))
            arms = self._arms[name]
            arms.canary_bad[here], arms.canary_total[here] = part.canary_bad, part.canary_total
            arms.stable_bad[here], arms.stable_total[here] = part.stable_bad, part.stable_total
        self._filled = here.stop

    def counts(self, begin: int, end: int, step: int) -> Counts:
        """As if Prometheus had been asked for these intervals."""
        strata = {name: arms[begin:end] for name, arms in self._arms.items()}
        return Counts(strata, step * np.arange(begin + 1, end + 1), step, dropped=0, quiet=0)


def release(
    rng: Random, past: Mapping[str, Past], plan: Plan, step: int, extra: Mapping[str, float]
) -> Outcome:
    """Release over `past` (by objective, in intervals of `step` seconds).

    `extra` is the fraction of the canary's good requests that is made to fail, by objective; with
    none of it the version is identical to stable.
    """
    arms = _Arms(rng, past, extra)
    now = 0.0
    warm_up = plan.question.policy.warm_up.total_seconds()
    cases: Sequence[Case] = ()
    for stage in plan.stages:
        began = now
        asked = plan.asked(stage)
        for look in range(plan.looks(stage)):
            now = began + look * plan.every
            arms.fill(floor(now / step), stage.weight / 100)
            newest = floor((now - plan.lag) / step)
            oldest = floor(warm_up / step)
            if newest <= oldest:
                continue
            counts = arms.counts(oldest, newest, step)
            cases = weigh(asked, counts, now, plan.scrape, plan.apart)
            verdict = decide(cases).reason.verdict
            if verdict is Verdict.FAIL:
                return _outcome(Ending.ABORTED, now, cases)
            if verdict is Verdict.PASS:
                break
        else:
            return _outcome(Ending.HELD, now, cases)
    return _outcome(Ending.PROMOTED, now, cases)


def _outcome(ending: Ending, seconds: float, cases: Sequence[Case]) -> Outcome:
    bad = {case.objective.name: float(case.rollout.canary_bad.sum()) for case in cases}
    return Outcome(ending, seconds, bad)
