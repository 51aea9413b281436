"""The judge under test: `plugin.judge` as it is, asked after every interval until it decides.

Asking it 240 times per release would take hours. So `decisive` first tells, from the same evidence
computed for all looks at once, at which of them it could decide at all; only there is the judge
asked, and only its answers count. That no look is passed over at which it would have decided is
what the tests compare, look by look.
"""

from math import log

import numpy as np
from numpy.typing import NDArray

from benchmarks.verdicts.scenarios import AVAILABILITY, SECONDS, Ending, Outcome, Release
from plugin.counts import Counts, quiet
from plugin.question import Arms, CanaryArm, Question, StableArm, Stage
from plugin.scraping import lag
from plugin.slo import SLO
from plugin.statistics.evidence import (
    HARM,
    SAFE,
    Array,
    Process,
    Strata,
    burning,
    trailing,
    with_restarts,
)
from plugin.statistics.limits import Limits
from plugin.verdict import Verdict, decide, weigh
from plugin.verdict.progress import recent
from plugin.verdict.skew import ONSET_INTERVALS

SERVICE = SLO.model_validate({"availability": AVAILABILITY})
OBJECTIVE = SERVICE.objectives[0]

_WINDOW = recent(SECONDS)
_ROUNDING = 1e-6  # of ln E, between one sum over all intervals and differences of running sums
_ARMS = Arms(
    canary=CanaryArm(workload="checkout", version="new"),
    stable=StableArm(workload="checkout", not_version="new"),
)


def outcome(release: Release) -> Outcome:
    """What the judge makes of this release; only the last stage's pass promotes it."""
    used = release.begins
    for look in np.flatnonzero(decisive(release[used:])):
        ending = ask(release[used : used + look + 1])
        if ending is not Ending.HELD:
            return Outcome(ending, used + int(look) + 1)
    return Outcome(Ending.HELD, len(release))


def ask(seen: Release) -> Ending:
    """What the real judge says as soon as Prometheus has scraped the last of these intervals."""
    ends = SECONDS * np.arange(1, len(seen) + 1)
    counts = Counts({OBJECTIVE.name: seen.strata}, ends, SECONDS, 0, quiet(seen.strata))
    now = float(ends[-1]) + lag(SECONDS)
    question = Question(
        service="checkout",
        namespace="shop",
        slo=SERVICE,
        arms=_ARMS,
        stage=Stage(weight=int(seen.weight[-1])),
        policy=seen.policy,
    )
    verdict = decide(weigh(question, counts, now, SECONDS)).reason.verdict
    if verdict is Verdict.FAIL:
        return Ending.ABORTED
    passed = verdict is Verdict.PASS and seen.last_stage[-1]
    return Ending.PROMOTED if passed else Ending.HELD


def decisive(release: Release) -> NDArray[np.bool_]:
    """Per look (after each interval): is there evidence enough to decide, whatever else holds?"""
    if not len(release):
        return np.zeros(0, dtype=bool)
    limits = Limits.of(OBJECTIVE, SERVICE, release.policy)
    hot = burning(
        release.strata.stable_bad,
        release.strata.stable_total,
        limits.slow_burn,
        _WINDOW,
        limits.fail_level,
    )
    levels = (limits.fail_level, limits.burn_level, limits.pass_level)
    to_fail, to_burn, to_pass = (-log(level) - _ROUNDING for level in levels)
    fails = (_harm(release, limits) >= to_fail) | (_burn(release, limits, hot) >= to_burn)
    return fails | (release.last_stage & (_safe(release, limits, hot) >= to_pass))


def _harm(release: Release, limits: Limits) -> Array:
    """The highest ln E so far, since what was proven once stays proven."""
    policy, strata = release.policy, release.strata
    process = Process.of(strata, HARM, policy.ratio, policy.burst)
    seen = process.course(limits.fail_margin, with_restarts(_WINDOW))
    comparable = np.cumsum(strata.comparable)
    return np.concatenate(([-np.inf], np.maximum.accumulate(seen)))[comparable]


def _burn(release: Release, limits: Limits, hot: NDArray[np.bool_]) -> Array:
    start = np.zeros(len(release), dtype=np.int64)
    bad, total = (
        _quiet_sum(counts[:, None], hot, start) / release.policy.burst
        for counts in (release.strata.canary_bad, release.strata.canary_total)
    )
    return _log_mean(bad * np.log(HARM) - limits.fast_burn * total * (HARM - 1))


def _safe(release: Release, limits: Limits, hot: NDArray[np.bool_]) -> Array:
    """With and without incidents, since the stage began as far as each look can tell."""
    strata, policy = release.strata, release.policy
    process = Process.of(strata, SAFE, policy.ratio, policy.burst)
    terms = np.zeros((len(release), len(SAFE)))
    terms[strata.comparable] = process.gain - limits.pass_margin * process.cost
    begins = _stage_starts(strata, release.weight)
    never = np.zeros(len(hot), dtype=bool)
    with_all, without = (_quiet_sum(terms, incident, begins) for incident in (never, hot))
    return _log_mean(np.concatenate((with_all, without), axis=1))


def _quiet_sum(values: Array, hot: NDArray[np.bool_], begins: NDArray[np.int64]) -> Array:
    """Per look: the sum of `values` since `begins`, without incidents as they were known then.

    An incident is known to have begun some intervals before it is proven, so the newest intervals
    may still turn out to belong to one.
    """
    looks = np.arange(len(values))
    recent = ONSET_INTERVALS - 1
    onset = trailing(hot[::-1].astype(np.float64), ONSET_INTERVALS)[::-1]
    settled = np.where(onset > 0, 0.0, 1.0)
    running: Array = np.zeros((len(values) + 1, values.shape[1]))
    running[1:] = np.cumsum(values * settled[:, None], axis=0)
    until = np.maximum(looks + 1 - recent, 0)
    sums = running[until] - running[np.minimum(begins, until)]
    calm = np.ones(len(values), dtype=bool)  # no incident proven between the interval and the look
    for back in range(recent):
        at = np.maximum(looks - back, 0)  # begins is never below 0, so what is clipped is left out
        calm = calm & ~hot[at]
        sums += values[at] * (calm & (looks - back >= begins))[:, None]
    return sums


def _log_mean(logarithms: Array) -> Array:
    """The logarithm of the mean, along the last axis."""
    return np.logaddexp.reduce(logarithms, axis=-1) - log(logarithms.shape[-1])


def _stage_starts(strata: Strata, weight: NDArray[np.int64]) -> NDArray[np.int64]:
    """`plugin.verdict.progress.stage_start` for all looks at once, where no scrape is missed."""
    starts = np.zeros(len(weight), dtype=np.int64)
    for percent in np.unique(weight):
        share = percent / 100
        gain = strata.canary_total * log(2) + strata.stable_total * log(
            (1 - share) / (1 - share / 2)
        )
        before = np.concatenate(([0.0], np.cumsum(gain)))
        lowest = np.minimum.accumulate(before)
        new = np.concatenate(([True], before[1:] < lowest[:-1]))
        index = np.maximum.accumulate(np.where(new, np.arange(len(before)), 0))[:-1]
        rose = before[1:] > before[index]
        here = weight == percent
        starts[here] = np.where(rose, index, np.arange(1, len(weight) + 1))[here]
    return starts
