"""The answer documents. Argo keeps them with each measurement, so they stay below 2 KB."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, Field

from plugin.judge import Judgement
from plugin.verdict import Case, Reason, Verdict

Finite = Annotated[float, Field(allow_inf_nan=False)]


class ArmCounts(BaseModel):
    """Requests since the canary's first one; `bad` of them broke the objective."""

    bad: int
    total: int


class Weighed(BaseModel):
    """ln E per question asked of the counts, or what it takes to decide."""

    harm: Finite
    safe: Finite
    burn: Finite


class IndicatorAnswer(BaseModel):
    """One objective. `extra` encloses the canary's extra bad ratio, as fractions."""

    name: str
    verdict: Verdict
    reason: Reason
    canary: ArmCounts
    stable: ArmCounts
    extra: tuple[Finite, Finite]
    evidence: Weighed
    threshold: Weighed


class Intervals(BaseModel):
    """How many intervals served as evidence, how many with requests were left out, their length."""

    used: int
    dropped: int
    seconds: int


class VerdictAnswer(BaseModel):
    """The verdict, and everything it rests on. `query` is the digest the log explains."""

    verdict: Verdict
    reason: Reason
    why: str
    service: str
    version: str
    evaluated_at: datetime
    indicators: list[IndicatorAnswer]
    intervals: Intervals
    query: str

    @classmethod
    def of(cls, judgement: Judgement) -> "VerdictAnswer":
        counts, query = judgement.counts, judgement.query
        return cls(
            verdict=judgement.reason.verdict,
            reason=judgement.reason,
            why=judgement.why,
            service=judgement.question.service,
            version=judgement.question.arms.canary.version,
            evaluated_at=datetime.fromtimestamp(query.end, UTC),
            indicators=[_indicator(case) for case in judgement.cases],
            intervals=Intervals(
                used=int(counts.traffic.comparable.sum()) if counts else 0,
                dropped=counts.dropped if counts else 0,
                seconds=query.step,
            ),
            query=query.digest,
        )


class ErrorDetail(BaseModel):
    field: str | None
    message: str


class ErrorAnswer(BaseModel):
    """What is wrong with the request: the field, and what to write there."""

    error: ErrorDetail


def _indicator(case: Case) -> IndicatorAnswer:
    arms = case.rollout
    return IndicatorAnswer(
        name=case.objective.name,
        verdict=case.reason.verdict,
        reason=case.reason,
        canary=_counts(arms.canary_bad.sum(), arms.canary_total.sum()),
        stable=_counts(arms.stable_bad.sum(), arms.stable_total.sum()),
        extra=(round(case.extra[0], 6), round(case.extra[1], 6)),
        evidence=_weighed(case.harm, case.safe, case.burn),
        threshold=_weighed(case.to_fail, case.to_pass, case.to_fail),
    )


def _counts(bad: float, total: float) -> ArmCounts:
    return ArmCounts(bad=round(bad), total=round(total))


def _weighed(harm: float, safe: float, burn: float) -> Weighed:
    return Weighed(harm=round(harm, 2), safe=round(safe, 2), burn=round(burn, 2))
