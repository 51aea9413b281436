"""May Flagger go on? Its requests do not tell the canary's weight, so Prometheus is asked for it.

Flagger asks before the first step too, with the canary still at weight 0: holding there would hold
for ever, because without traffic nothing can be decided.

Without the gauge (Flagger is not scraped, or has just restarted) the counts themselves tell: a
canary that got none of the last thousand requests is at weight 0. What is left is a service without
requests: that holds, as there is nothing to promote on, until requests or a person come.
The gauge is as old as the last scrape, so the analysis interval has to be two scrapes or more.
"""

from dataclasses import dataclass, replace

from plugin.judge import Judge, Judgement
from plugin.prometheus import PrometheusError
from plugin.promql import Matcher, selector
from plugin.question import Question, Stage
from plugin.verdict import Verdict
from plugin.why import cannot_ask

_ENOUGH_REQUESTS = 1000


@dataclass(frozen=True)
class Gate:
    """Whether Flagger may go on, and why; without a judgement if none was needed."""

    open: bool
    why: str
    judgement: Judgement | None = None


async def may_advance(judge: Judge, question: Question) -> Gate:
    """Open when the stage has passed, or when the canary has no traffic yet to be judged by."""
    try:
        weight = await canary_weight(judge, question)
    except PrometheusError as error:
        return Gate(open=False, why=cannot_ask(str(error)))
    if weight == 0:
        return Gate(open=True, why="the canary has no traffic yet: its first stage may begin")
    gate = await _passed(judge, question, weight)
    counts = gate.judgement.counts if gate.judgement else None
    if gate.open or weight is not None or counts is None or counts.quiet < _ENOUGH_REQUESTS:
        return gate
    why = f"none of the last {_ENOUGH_REQUESTS:,} requests went to the canary: it may begin"
    return replace(gate, open=True, why=why)


async def may_promote(judge: Judge, question: Question) -> Gate:
    """Open when the last stage has passed; never without evidence."""
    try:
        weight = await canary_weight(judge, question)
    except PrometheusError as error:
        return Gate(open=False, why=cannot_ask(str(error)))
    return await _passed(judge, question, weight)


async def _passed(judge: Judge, question: Question, weight: int | None) -> Gate:
    judgement = await judge.judge(question.model_copy(update={"stage": Stage(weight=weight)}))
    passed = judgement.reason.verdict is Verdict.PASS
    return Gate(open=passed, why=judgement.why, judgement=judgement)


async def canary_weight(judge: Judge, question: Question) -> int | None:
    """The canary's weight in percent as Flagger last reported it; None if it does not.

    Raises PrometheusError. Prometheus renames the gauge's own label `namespace` when it discovered
    Flagger as a pod, so both spellings are asked for.
    """
    workload = Matcher("workload", "=", question.arms.canary.workload)
    gauges = " or ".join(
        selector("flagger_canary_weight", (workload, Matcher(label, "=", question.namespace)))
        for label in ("namespace", "exported_namespace")
    )
    samples = await judge.source.query(f"max({gauges})")
    return min(100, max(0, round(samples[0].value[1]))) if samples else None
