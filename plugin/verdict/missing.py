"""Why there are no counts to decide by (`no_data`): one sentence for whoever has to find them."""

import numpy as np

from plugin.counts import Counts
from plugin.counts.cadence import SCRAPES, Rarely
from plugin.indicators import PRESETS
from plugin.question import Question
from plugin.slo.units import format_duration
from plugin.statistics.evidence import Strata
from plugin.verdict import Case


def missing(case: Case, counts: Counts, question: Question, age: float | None) -> str:
    """What is not there, and where to look. `age` is how old the newest counts are, in seconds."""
    if fault := _fault(case.objective.name, counts):
        return fault
    canary = f"{question.arms.canary.workload} {question.arms.canary.version}"
    lacking = counts.lacking.get(case.objective.name)
    if lacking or (case.missing_bucket and not case.unseen):
        arms = {"canary": f"the canary ({canary})", "stable": "stable"}
        arm = arms[lacking[0]] if lacking and len(lacking) == 1 else "either arm"
        return _lacking(case, arm, question)
    if case.objective.ratio is not None and case.unseen:
        arm = "stable" if case.rollout.canary_total.any() else f"the canary ({canary})"
        return (
            f"no event of {case.objective.name} has been counted for {arm}: are its counters "
            "scraped, with the labels that tell the arms apart?"
        )
    if not case.rollout.canary_total.any():
        return f"no request to the canary ({canary}) has been counted{_since_when(case, counts)}"
    if not case.rollout.stable_total.any():
        return f"stable ({question.arms.stable.workload}) has no requests to compare with"
    return _not_of_now(counts, age)


def _fault(objective: str, counts: Counts) -> str | None:
    """Why the counts of this objective are not what they should be, as far as that is known."""
    if objective in counts.elsewhere:
        return (
            f"{objective} cannot be counted: its parts are scraped from different targets, each "
            "at its own time; name two counters that one target has"
        )
    if failed := counts.unscraped.get(objective):
        whose = {"canary": "the canary's", "stable": "stable's"}
        targets = " and ".join(
            f"{count} target{'' if count == 1 else 's'} of {whose[arm]}"
            for arm, count in failed.items()
        )
        return (
            f"{targets} that {objective} is counted on cannot be scraped (up is 0): held until "
            "they can be"
        )
    if objective in counts.bursting:
        return (
            f"most of what is counted for {objective} comes in bursts, which are left out, as "
            "they look like the past of counters that were away: held, for what is left does not "
            "tell how those fare"
        )
    return None


def _since_when(case: Case, counts: Counts) -> str:
    if counts.dropped and case.policy.warm_up:
        return f" yet: its first {format_duration(case.policy.warm_up)} are warm-up"
    return f" while stable had its last {counts.quiet:,.0f}" if counts.quiet else " yet"


def _not_of_now(counts: Counts, age: float | None) -> str:
    if age is None:
        return "the two arms never had requests at the same time"
    if counts.rarely is not None:
        return _scraped_rarely(counts.rarely)
    if counts.unsettled:
        return (
            "the newest counts are so many more than usual that they may be the past of counters "
            "that were away: waiting to see whether they last"
        )
    return (
        f"no request to {_silent(counts.traffic)} was counted for {age:.0f} s: waiting for new ones"
    )


def _scraped_rarely(rarely: Rarely) -> str:
    every = rarely.scrape_interval
    times = "once" if rarely.samples == 1 else f"{rarely.samples} times"
    return (
        f"the request counters were scraped {times} in the last {SCRAPES * every} s, and with "
        f"SLUICE_SCRAPE_INTERVAL={every} it should be {SCRAPES} times: is that Prometheus' own "
        "interval? (If scrapes fail, this is over when they work.)"
    )


def _silent(traffic: Strata) -> str:
    """The arm without requests since both had some; it may be both."""
    newest = int(np.flatnonzero(traffic.comparable)[-1])
    canary = traffic.canary_total[newest + 1 :].any()
    stable = traffic.stable_total[newest + 1 :].any()
    if canary == stable:
        return "both arms at once" if canary else "either arm"
    return "stable" if canary else "the canary"


def _lacking(case: Case, arm: str, question: Question) -> str:
    if case.objective.ratio is not None:
        return (
            f"no good event of {case.objective.name} was counted for {arm}: is its counter "
            "scraped, with the labels that tell the arms apart?"
        )
    if case.objective.threshold is None:
        return (
            f"too many requests to {arm} carry no HTTP status (label "
            f"{' or '.join(PRESETS[question.metrics].status)}) to tell which of them failed"
        )
    return (
        f"no request within {format_duration(case.objective.threshold)} was counted for {arm}: is "
        "that bucket in the latency histogram?"
    )
