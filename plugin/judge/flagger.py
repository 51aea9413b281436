"""What Flagger's hooks ask. They do not tell the canary's weight, so Prometheus is asked for it.

Flagger asks before the first step too, with the canary still at weight 0: holding there for want of
evidence would hold for ever, because without traffic nothing can be decided.

Without the gauge (Flagger is not scraped, or has just restarted) nobody knows which stage it is,
and a canary without requests may as well be one that is not scraped: a data fault, which holds.
The gauge is as old as the last scrape, so the analysis interval has to be two scrapes or more
(`components.settings` demands it).
"""

from dataclasses import replace
from math import ceil

from plugin.judge import Judge, Judgement, cannot_judge
from plugin.judge.begin import may_begin
from plugin.prometheus import PrometheusError
from plugin.promql.matchers import Matcher, selector
from plugin.question import Question
from plugin.verdict import Reason, Verdict

_RECENT_SCRAPES = 1.5


async def advance(judge: Judge, question: Question) -> Judgement:
    """May the weight rise? With traffic: has the stage passed? Before it: may the release begin?"""
    try:
        question = await staged(judge, question)
    except PrometheusError as error:
        return cannot_judge(question, error, judge.clock())
    if question.stage.weight == 0:
        return await may_begin(judge, question)
    return await _judged(judge, question)


async def stage(judge: Judge, question: Question) -> Judgement:
    """The verdict on the present stage: never a pass without evidence, whatever the weight."""
    try:
        question = await staged(judge, question)
    except PrometheusError as error:
        return cannot_judge(question, error, judge.clock())
    return await _judged(judge, question)


async def _judged(judge: Judge, question: Question) -> Judgement:
    """The verdict on the stage; without its weight only a failure or a fault of Prometheus is one.

    What was proven in a stage that is over must open no gate of the next.
    """
    judgement = await judge.judge(question)
    known = question.stage.weight is not None
    if known or judgement.counts is None or judgement.reason.verdict is Verdict.FAIL:
        return judgement
    sentence = (
        "Flagger's flagger_canary_weight is not in Prometheus for workload "
        f"{question.arms.canary.workload} in namespace {question.namespace}: held, as nobody knows "
        "which stage it is in. Is Flagger scraped, as often as the requests?"
    )
    return replace(judgement, reason=Reason.NO_DATA, why=sentence)


async def staged(judge: Judge, question: Question) -> Question:
    """The question about the stage that Flagger is in. Raises PrometheusError."""
    weight = await canary_weight(judge, question)
    present = question.stage.model_copy(update={"weight": weight})
    return question.model_copy(update={"stage": present})


async def canary_weight(judge: Judge, question: Question) -> int | None:
    """The canary's weight in percent as Flagger last reported it; None if it does not.

    Raises PrometheusError. An older value would be that of another stage, and Prometheus remembers
    it for minutes when it was away itself: a weight of 0 that is over opens the next stage.
    Prometheus renames the gauge's own label `namespace` when it discovered
    Flagger as a pod, so both spellings are asked for.
    """
    workload = Matcher("workload", "=", question.arms.canary.workload)
    recent = ceil(_RECENT_SCRAPES * judge.scrape_interval)
    gauges = " or ".join(
        f"last_over_time({gauge}[{recent}s])"
        for label in ("namespace", "exported_namespace")
        for gauge in [
            selector("flagger_canary_weight", (workload, Matcher(label, "=", question.namespace)))
        ]
    )
    samples = await judge.source.query(f"max({gauges})")
    return min(100, max(0, round(samples[0].value[1]))) if samples else None
