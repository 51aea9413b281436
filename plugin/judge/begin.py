"""May a release begin? Asked before its first traffic, when there are no counts to judge by.

The windows need a clock only. The error budget is what the service's recording rules say is left of
it (`components.manifests.slorules`, with Sloth's names): the requests of thirty days are too many
to be counted for a question. Where there are no such rules nothing is known, and that holds
nothing up; a Prometheus that cannot answer does, as it could not tell how the release fares either.
"""

from datetime import UTC, datetime

from plugin.judge import Judge, Judgement, cannot_judge
from plugin.policy.gates import is_open, next_opening, spent
from plugin.prometheus import PrometheusError
from plugin.promql.matchers import Matcher, selector
from plugin.question import Question
from plugin.verdict import Reason, why

_REMAINING = "slo:period_error_budget_remaining:ratio"
_OBJECTIVE = "sloth_slo"


async def may_begin(judge: Judge, question: Question) -> Judgement:
    """The first gate that is closed, or `may_begin`. Raises nothing: a fault is undecided."""
    policy, at = question.policy, judge.clock()
    now = datetime.fromtimestamp(at, UTC)
    if not is_open(policy.windows, now):
        sentence = why.window_closed(*next_opening(policy.windows, now), now)
        return Judgement(question, Reason.WINDOW_CLOSED, sentence, at)
    if not policy.freeze:
        return Judgement(question, Reason.MAY_BEGIN, why.may_begin(question, None), at)
    try:
        remaining = await _remaining(judge, question)
    except PrometheusError as error:
        return cannot_judge(question, error, at)
    objective = spent(remaining)
    if objective is not None:
        sentence = why.budget_exhausted(question, objective, remaining[objective])
        return Judgement(question, Reason.BUDGET_EXHAUSTED, sentence, at)
    return Judgement(question, Reason.MAY_BEGIN, why.may_begin(question, remaining), at)


async def _remaining(judge: Judge, question: Question) -> dict[str, float]:
    """The fraction of the error budget that is left, by objective. Raises PrometheusError.

    Rules that somebody else wrote may not name the namespace. A record without requests is NaN:
    the comparison leaves it out, for it is not known and no fault.
    """
    matchers = (
        Matcher("sloth_service", "=", question.service),
        Matcher("namespace", "=~", f"({question.namespace})?".replace(".", "[.]")),
    )
    records = selector(_REMAINING, matchers)
    samples = await judge.source.query(f"min by ({_OBJECTIVE}) ({records} > -Inf)")
    return {sample.metric.get(_OBJECTIVE, ""): sample.value[1] for sample in samples}
