"""The one sentence of a verdict, for the engineer whose release it is."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from plugin.counts import Counts
from plugin.policy.gates import Window
from plugin.question import Question
from plugin.slo.units import format_duration
from plugin.statistics.evidence import Strata
from plugin.verdict import Case, Decision, Reason
from plugin.verdict.missing import missing
from plugin.verdict.progress import misfed, newest

_THEN = {
    Reason.GATHERING: "it is held until that is proven or a person decides",
    Reason.UNDECIDED_PROMOTED: "the policy is to go on",
    Reason.UNDECIDED_ABORTED: "the policy is to abort",
}


def cannot_ask(error: str) -> str:
    return f"{error}; nothing is promoted and nothing aborted until there are counts"


def may_begin(question: Question, remaining: Mapping[str, float] | None) -> str:
    """`remaining` is the budget by objective, if it was asked for."""
    if remaining is None:
        return f"{question.release} may begin"
    if not remaining:
        return (
            f"{question.release} may begin: no recording rule tells what is left of the error "
            "budget, and what is not known holds nothing up"
        )
    least = min(remaining, key=lambda name: remaining[name])
    return f"{question.release} may begin: {_percent(remaining[least])} of the {least} budget left"


def budget_exhausted(question: Question, objective: str, remaining: float) -> str:
    return (
        f"the error budget for {objective} is spent ({_percent(1 - remaining)} of it in "
        f"{format_duration(question.slo.window)}): no release begins, unless policy.fix names it"
    )


def window_closed(at: datetime, window: Window, now: datetime) -> str:
    """`at` is when this window opens."""
    local = at.astimezone(ZoneInfo(window.zone))
    return (
        f"outside of the release windows: may begin on {local:%a %d %b at %H:%M} {window.zone} "
        f"(in {_coarse(at - now)}), unless policy.fix names it"
    )


def explain(decision: Decision, counts: Counts, question: Question, age: float | None) -> str:
    """Why it was decided so. `age` is how old the newest counts are, in seconds."""
    case = decision.case
    match decision.reason:
        case Reason.REGRESSION | Reason.SLO_BURN | Reason.NON_INFERIOR:
            return _proven(decision.reason, case)
        case Reason.COMMON_MODE:
            recent = case.rollout[-case.window :]
            stable = _ratio(recent.stable_bad.sum(), recent.stable_total.sum())
            return (
                f"stable itself {_verb(case)} {stable} in the last {case.window * case.seconds} s: "
                "waiting until the shared incident is over"
            )
        case Reason.NO_DATA:
            return missing(case, counts, question, age)
        case Reason.TRAFFIC_SHARE:
            return _traffic_share(case, counts, question)
        case _:
            return _gathering(decision.reason, case, question)


def _proven(reason: Reason, case: Case) -> str:
    if reason is Reason.SLO_BURN:
        times = case.limits.fast_burn / float(case.objective.budget)
        return (
            f"{_canary(case, case.rollout)}: it spends the error budget more than {times:.3g} "
            f"times too fast, and {_allowance(case)}"
        )
    if reason is Reason.REGRESSION:
        found = f"{_compared(case, case.rollout)}: {_at_least(case)}"
    else:
        upper, share = case.extra[1], case.limits.exposure
        found = f"{_compared(case, case.stage)} in this stage: {_at_most(upper)}"
        if share < 1 and upper > 0:
            found += f" ({_points(share * upper)} of all requests at the next {_percent(share)})"
    return f"{found}, and {_allowance(case)}"


def _gathering(reason: Reason, case: Case, question: Question) -> str:
    upper = case.extra[1]
    proven = _at_most(upper) if upper < 1 else "nothing"
    sentence = (
        f"{_compared(case, case.stage)} in this stage: proven so far is {proven}, promoting takes "
        f"at most {_points(case.limits.pass_margin)} and {case.policy.min_requests} requests"
    )
    if case.progress.over and question.stage_time is not None:
        time = format_duration(question.stage_time)
        sentence += f"; the stage had its {time}: {_THEN[reason]}"
    return sentence


def _traffic_share(case: Case, counts: Counts, question: Question) -> str:
    weight = question.stage.weight or 0
    traffic, share = counts.traffic, weight / 100
    now = misfed(traffic, case.seconds, share) or newest(traffic, case.seconds, share)
    canary, all_ = now.canary_total.sum(), (now.canary_total + now.stable_total).sum()
    return (
        f"the canary gets {_percent(now.share)} of the requests ({canary:,.0f} of {all_:,.0f} in "
        f"the last {len(now) * case.seconds} s) where its stage gives it {weight} %: waiting for "
        "its share"
    )


def _compared(case: Case, strata: Strata) -> str:
    stable = _ratio(strata.stable_bad.sum(), strata.stable_total.sum())
    return f"{_canary(case, strata)} and stable {stable}"


def _canary(case: Case, strata: Strata) -> str:
    bad, total = strata.canary_bad.sum(), strata.canary_total.sum()
    of = " of requests" if case.objective.ratio is None else ""
    return f"canary {_verb(case)} {_ratio(bad, total, of)}"


def _verb(case: Case) -> str:
    if case.objective.ratio is not None:
        return f"breaks {case.objective.name} in"
    return "fails" if case.objective.threshold is None else f"exceeds {_threshold(case)} in"


def _threshold(case: Case) -> str:
    return format_duration(case.objective.threshold) if case.objective.threshold else ""


def _allowance(case: Case) -> str:
    return f"the SLO allows {_percent(float(case.objective.budget))}"


def _ratio(bad: float, total: float, of: str = "") -> str:
    ratio = bad / total if total else 0.0
    return f"{_percent(ratio)}{of} ({bad:,.0f} of {total:,.0f})"


def _percent(ratio: float) -> str:
    percent = ratio * 100
    return f"{percent:.0f} %" if percent >= 9.95 else f"{percent:.2g} %"


def _at_most(upper: float) -> str:
    """How much worse the canary is at most, said so that no number is negative."""
    return f"at most {_points(upper)} more" if upper >= 0 else f"at least {_points(-upper)} less"


def _at_least(case: Case) -> str:
    """What was proven stays so, though the canary may fail less by now."""
    arms, more = case.rollout, f"at least {_points(case.extra[0])} more"
    canary = arms.canary_bad.sum() / arms.canary_total.sum()
    stable = arms.stable_bad.sum() / arms.stable_total.sum()
    return more if case.extra[0] <= canary - stable else f"it was {more} when that was proven"


def _points(ratio: float) -> str:
    return f"{ratio * 100:.3g} pp"


def _coarse(wait: timedelta) -> str:
    """A wait as people say it: in the two largest units."""
    minutes = max(1, round(wait / timedelta(minutes=1)))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if n]
    return " ".join(parts[:2])
