"""The one sentence of a verdict, for the engineer whose release it is."""

from plugin.counts import Counts
from plugin.evidence import Strata
from plugin.question import Question
from plugin.slo import format_duration
from plugin.verdict import INCIDENT_SECONDS, Case, Reason


def cannot_ask(error: str) -> str:
    return f"{error}; nothing is promoted and nothing aborted until there are counts"


def explain(case: Case, counts: Counts, question: Question, age: float | None) -> str:
    """Why this case decides as it does. `age` is how old the newest counts are, in seconds."""
    match case.reason:
        case Reason.REGRESSION:
            return (
                f"{_compared(case, case.rollout)}: at least {_points(case.extra[0])} more, "
                f"and {_allowance(case)}"
            )
        case Reason.SLO_BURN:
            times = case.limits.fast_burn / float(case.objective.budget)
            return (
                f"{_canary(case, case.rollout)}: it spends the error budget more than {times:.3g} "
                f"times too fast, and {_allowance(case)}"
            )
        case Reason.NON_INFERIOR:
            return (
                f"{_compared(case, case.stage)} in this stage: at most {_points(case.extra[1])} "
                f"more, and {_allowance(case)}"
            )
        case Reason.COMMON_MODE:
            recent = case.rollout[-case.window :]
            stable = _ratio(recent.stable_bad.sum(), recent.stable_total.sum())
            return (
                f"stable itself {_verb(case)} {stable} in the last {INCIDENT_SECONDS} s: waiting "
                "until the shared incident is over"
            )
        case Reason.NO_DATA:
            return _no_data(case, question, age)
        case _:
            return _gathering(case, counts, question)


def _gathering(case: Case, counts: Counts, question: Question) -> str:
    if not case.share:
        share = counts.traffic[-case.window :].share
        return (
            f"the canary gets {_percent(share)} of the requests where its stage gives it "
            f"{question.stage.weight} %: waiting for its share"
        )
    if not case.stage.canary_total.any():
        return "the stage has just begun: no requests counted in it yet"
    wanted = _points(case.limits.pass_margin)
    upper = case.extra[1]
    proven = f"at most {_points(upper)} more" if upper < 1 else "nothing"
    return (
        f"{_compared(case, case.stage)} in this stage: proven so far is {proven}, promoting takes "
        f"at most {wanted} and {question.policy.min_requests} requests"
    )


def _no_data(case: Case, question: Question, age: float | None) -> str:
    canary = f"{question.arms.canary.workload} {question.arms.canary.version}"
    if not case.rollout.canary_total.any():
        return f"no request to the canary ({canary}) has been counted yet"
    if not case.rollout.stable_total.any():
        return f"stable ({question.arms.stable.workload}) has no requests to compare with"
    if case.missing_bucket:
        return (
            f"no request within {_threshold(case)} was counted in either arm: is that bucket in "
            "the latency histogram?"
        )
    if age is None:
        return "the two arms never had requests at the same time"
    return f"the newest counts of both arms are {age:.0f} s old: waiting for new ones"


def _compared(case: Case, strata: Strata) -> str:
    stable = _ratio(strata.stable_bad.sum(), strata.stable_total.sum())
    return f"{_canary(case, strata)} and stable {stable}"


def _canary(case: Case, strata: Strata) -> str:
    bad, total = strata.canary_bad.sum(), strata.canary_total.sum()
    return f"canary {_verb(case)} {_ratio(bad, total, ' of requests')}"


def _verb(case: Case) -> str:
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


def _points(ratio: float) -> str:
    return f"{ratio * 100:.3g} pp"
