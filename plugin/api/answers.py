"""The answer documents. Argo keeps them with each measurement, so they stay below 2 KB."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Annotated

from pydantic import BaseModel, Field, PlainSerializer
from pydantic_core import to_json

from plugin.judge import Judgement
from plugin.signals import Signal
from plugin.verdict import Case, Reason, Verdict

MOST_BYTES = 2040
"""Argo keeps the last ten answers of each analysis in one Kubernetes object."""
_LONGEST_WHY = 600  # bytes
_LONGER_IN_GO = ("<", ">", "&", "\u2028", "\u2029", "e-")


def _short(number: float) -> float | int:
    return int(number) if number.is_integer() else number


Finite = Annotated[
    float, Field(allow_inf_nan=False), PlainSerializer(_short, return_type=float | int)
]


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
    """One objective. `extra` encloses the canary's extra bad ratio, as fractions.

    Where many objectives leave no room, those that decide least are named without their numbers.
    """

    name: str
    reason: Reason
    canary: ArmCounts | None = None
    stable: ArmCounts | None = None
    extra: tuple[Finite, Finite] | None = None
    evidence: Weighed | None = None

    @classmethod
    def of(cls, case: Case) -> "IndicatorAnswer":
        arms = case.rollout
        return cls(
            name=case.objective.name,
            reason=case.reason,
            canary=_counts(arms.canary_bad.sum(), arms.canary_total.sum()),
            stable=_counts(arms.stable_bad.sum(), arms.stable_total.sum()),
            extra=(round(case.extra[0], 6), round(case.extra[1], 6)),
            evidence=_weighed(case.harm, case.safe, case.burn),
        )

    @property
    def bare(self) -> "IndicatorAnswer":
        """Without its numbers."""
        return IndicatorAnswer(name=self.name, reason=self.reason)


class SignalAnswer(BaseModel):
    """A value with a bound, or a way in which pods die; `reason` is there if something follows."""

    name: str
    reason: Reason | None = None
    canary: Finite | None = None
    stable: Finite | None = None
    bound: Finite | None = None

    @classmethod
    def of(cls, signal: Signal) -> "SignalAnswer":
        return cls(
            name=signal.name,
            reason=signal.reason,
            canary=_rounded(signal.canary),
            stable=_rounded(signal.stable),
            bound=signal.bound,
        )


class Intervals(BaseModel):
    """How many intervals served as evidence, how many with requests were left out, their length."""

    used: int
    dropped: int
    seconds: int


class VerdictAnswer(BaseModel):
    """The verdict, and everything it rests on. `query` is the digest the log explains.

    `threshold` is what the evidence of each indicator has to reach, and `left_out` how many
    indicators and signals there was no room for; the log has them all.
    """

    verdict: Verdict
    reason: Reason
    why: str
    service: str
    version: str
    evaluated_at: datetime
    threshold: Weighed | None = None
    indicators: list[IndicatorAnswer]
    signals: list[SignalAnswer] | None = None
    left_out: int | None = None
    intervals: Intervals | None = None
    query: str | None = None

    @classmethod
    def of(cls, judgement: Judgement) -> "VerdictAnswer":
        counts, query, cases = judgement.counts, judgement.query, judgement.cases
        intervals = None
        if query is not None:
            intervals = Intervals(
                used=int(counts.traffic.comparable.sum()) if counts else 0,
                dropped=counts.dropped if counts else 0,
                seconds=query.step,
            )
        return cls(
            verdict=judgement.reason.verdict,
            reason=judgement.reason,
            why=_shortened(judgement.why),
            service=judgement.question.service,
            version=judgement.question.arms.canary.version,
            evaluated_at=datetime.fromtimestamp(int(judgement.at), UTC),
            # The same for all: the level is shared equally.
            threshold=_weighed(cases[0].to_fail, cases[0].to_pass, cases[0].to_burn)
            if cases
            else None,
            indicators=[IndicatorAnswer.of(case) for case in cases],
            signals=[SignalAnswer.of(signal) for signal in judgement.signals] or None,
            intervals=intervals,
            query=query.digest if query else None,
        )

    def stored(self) -> str:
        """The JSON that Argo is to keep, within its bounds: what decides least gives way first."""
        shown = (
            self._showing(*sizes).model_dump_json(exclude_none=True) for sizes in self._sizes()
        )
        return next(short for short in shown if stored_bytes(short) <= MOST_BYTES)

    def _sizes(self) -> Iterator[tuple[int, int, int]]:
        """How many signals to show, indicators with numbers, and indicators: all, then fewer.

        Signals from which nothing follows go first, then numbers, then names.
        """
        every, signals = len(self.indicators), len(self.signals or ())
        telling = sum(signal.reason is not None for signal in self.signals or ())
        yield from ((shown, every, every) for shown in range(signals, telling - 1, -1))
        yield from ((telling, shown, every) for shown in range(every - 1, -1, -1))
        yield from ((telling, 0, shown) for shown in range(every - 1, -1, -1))
        yield from ((shown, 0, 0) for shown in range(telling - 1, -1, -1))

    def _showing(self, signals: int, numbers: int, names: int) -> "VerdictAnswer":
        ranks = _ranks([one.reason for one in self.indicators])
        said = _ranks([one.reason for one in self.signals or ()])
        left_out = len(ranks) - names + len(said) - signals
        return self.model_copy(
            update={
                "indicators": [
                    one if rank < numbers else one.bare
                    for one, rank in zip(self.indicators, ranks, strict=True)
                    if rank < names
                ],
                "signals": [
                    one
                    for one, rank in zip(self.signals or (), said, strict=True)
                    if rank < signals
                ]
                or None,
                "left_out": left_out or None,
            }
        )


class ErrorDetail(BaseModel):
    field: str | None
    message: str


class ErrorAnswer(BaseModel):
    """What is wrong with the request: the field, and what to write there."""

    error: ErrorDetail


def _shortened(why: str) -> str:
    """A sentence may quote what Prometheus said, which may be anything."""
    text = why
    while stored_bytes(to_json(text).decode()) > _LONGEST_WHY:
        text = text[: len(text) * 9 // 10]
    return text if text == why else f"{text}…"


def stored_bytes(document: str) -> int:
    """The most that it takes in an AnalysisRun: Argo reads the JSON and writes it anew.

    Go writes some characters as six, and small numbers without an exponent.
    """
    return len(document.encode()) + 5 * sum(map(document.count, _LONGER_IN_GO))


def _ranks(reasons: Sequence[Reason | None]) -> list[int]:
    """The place of each: 0 for the one that decides most; of equals the first."""
    weights = [reason.rank if reason else len(Reason) for reason in reasons]
    places = sorted(range(len(weights)), key=weights.__getitem__)
    return [places.index(at) for at in range(len(weights))]


def _counts(bad: float, total: float) -> ArmCounts:
    return ArmCounts(bad=round(bad), total=round(total))


def _weighed(harm: float, safe: float, burn: float) -> Weighed:
    return Weighed(harm=_digits(harm), safe=_digits(safe), burn=_digits(burn))


def _digits(log_e: float) -> float:
    return float(f"{log_e:.3g}")


def _rounded(value: float | None) -> float | None:
    """The largest number there is, with which Go programs say "none", would round to infinity."""
    if value is None:
        return None
    rounded = float(f"{value:.4g}")
    return rounded if isfinite(rounded) else value
