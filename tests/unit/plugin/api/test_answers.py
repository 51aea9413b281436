"""The answer document: everything a verdict rests on, within what Argo is to keep of it."""

import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plugin.api.answers import MOST_BYTES, IndicatorAnswer, SignalAnswer, VerdictAnswer
from plugin.counts import Counts
from plugin.judge import Judgement
from plugin.policy import Policy
from plugin.promql.query import Query
from plugin.question import Question
from plugin.signals import Signal
from plugin.slo import Objective
from plugin.statistics.evidence import Strata
from plugin.statistics.limits import Limits
from plugin.verdict import Case, Progress, Reason

Build = Callable[..., Strata]
MOST_STORED = 2048
NAMES = (
    "availability",
    "latency_p50",
    "latency_p95",
    "latency_p99",
    "payments_declined",
    "orders_lost",
    "cache_hits",
    "mails_sent",
)
LONGEST = "v" * 63
ASKED = {
    "service": "s" * 63,
    "namespace": "shop",
    "slo": {"availability": 99.0},
    "arms": {
        "canary": {"workload": "s" * 63, "version": LONGEST},
        "stable": {"workload": "s" * 63, "not_version": LONGEST},
    },
}
LARGE = [(3e4, 1e6, 1e4, 9e6)] * 60


@pytest.fixture
def judgement(strata: Build, question: Question) -> Callable[..., Judgement]:
    """A judgement on so many objectives, each with the same counts."""

    def build(names: tuple[str, ...], intervals: Any = LARGE, why: str = "because") -> Judgement:
        rollout = strata(*intervals)
        policy = Policy()
        objectives = [Objective(name, Decimal("0.999")) for name in names]
        limits = Limits.of(objectives[0], question.slo, policy)
        cases = tuple(
            Case(objective, limits, policy, rollout, 15, Progress(), fresh=True)
            for objective in objectives
        )
        counts = Counts(
            strata=dict.fromkeys(names, rollout),
            ends=np.arange(len(intervals)) * 15,
            seconds=15,
            dropped=3,
            quiet=0,
        )
        query = Query("up", 0, 15 * len(intervals), 15)
        reason = Reason.SLO_BURN
        return Judgement(question, reason, why, float(query.end), query, counts, cases)

    return build


def stored(answer: VerdictAnswer) -> int:
    """The bytes that Argo keeps: Go reads the answer and writes it anew."""
    text = answer.model_dump_json(exclude_none=True)
    escaped = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
    return len("".join(escaped.get(char, char) for char in text).encode())


def kept(answer: VerdictAnswer) -> VerdictAnswer:
    """What Argo has of it."""
    return VerdictAnswer.model_validate_json(answer.stored())


def test_an_answer_carries_what_it_rests_on(judgement: Callable[..., Judgement]) -> None:
    answer = kept(VerdictAnswer.of(judgement(NAMES[:2])))
    assert (answer.verdict, answer.reason) == ("fail", "slo_burn")
    assert answer.threshold is not None
    for indicator in answer.indicators:
        assert indicator.canary is not None
        assert (indicator.canary.bad, indicator.canary.total) == (1_800_000, 60_000_000)
        assert indicator.stable is not None
        assert indicator.extra is not None
        assert 0.02 < indicator.extra[0] < 0.03
        assert indicator.evidence is not None
        assert indicator.evidence.harm > answer.threshold.harm
    assert answer.intervals is not None
    assert (answer.intervals.used, answer.intervals.dropped) == (60, 3)
    assert answer.query == Query("up", 0, 900, 15).digest
    assert answer.evaluated_at.timestamp() == 900


def test_eight_objectives_fit_where_argo_keeps_them(
    judgement: Callable[..., Judgement],
) -> None:
    """With large counts, a long sentence and signs that Go writes as six characters."""
    asked = judgement(NAMES, why="<html>&nbsp;</html> " * 20)
    answer = kept(VerdictAnswer.of(asked))
    assert stored(answer) <= MOST_STORED
    assert [one.name for one in answer.indicators] == list(NAMES)
    assert {one.reason for one in answer.indicators} == {Reason.SLO_BURN}
    assert answer.indicators[0].evidence is not None


def test_eight_objectives_as_they_usually_are_keep_all_their_numbers(
    judgement: Callable[..., Judgement],
) -> None:
    usual = judgement(NAMES, [(30, 10_000, 100, 90_000)] * 60, why="canary fails more " * 8)
    answer = kept(VerdictAnswer.of(usual))
    assert stored(answer) <= MOST_STORED
    assert all(one.evidence is not None for one in answer.indicators)


def test_the_log_keeps_what_argo_has_no_room_for(judgement: Callable[..., Judgement]) -> None:
    answer = VerdictAnswer.of(judgement(tuple(f"{name}_{n}" for n in range(4) for name in NAMES)))
    assert len(answer.indicators) == 32
    assert all(one.evidence is not None for one in answer.indicators)
    short = kept(answer)
    assert stored(short) <= MOST_STORED
    assert (short.left_out or 0) + len(short.indicators) == 32


def test_the_objective_that_decides_keeps_its_numbers(judgement: Callable[..., Judgement]) -> None:
    """Among many that passed, the one that failed is what the reader looks for."""
    good = VerdictAnswer.of(judgement(tuple(f"{name}_{n}" for n in range(3) for name in NAMES)))
    passed = [one.model_copy(update={"reason": Reason.NON_INFERIOR}) for one in good.indicators]
    failed = good.indicators[-1]
    short = kept(good.model_copy(update={"indicators": [*passed[:-1], failed]}))
    assert [one for one in short.indicators if one.reason is Reason.SLO_BURN] == [failed]


def test_signals_are_told_and_those_that_decide_stay(
    judgement: Callable[..., Judgement],
) -> None:
    killed = Signal("oom_killed", Reason.OOM_KILLED, "1 container", 1.0, 0.0, 0.0)
    fine = tuple(Signal(f"heap_{n}", None, "", 0.123456, 0.1, 0.9) for n in range(10))
    asked = replace(judgement(NAMES[:2]), signals=(*fine, killed))
    answer = kept(VerdictAnswer.of(asked))
    assert answer.signals is not None
    assert answer.signals[-1].reason is Reason.OOM_KILLED
    assert answer.signals[0].canary == 0.1235
    crowded = kept(VerdictAnswer.of(replace(judgement(NAMES), signals=(*fine, killed))))
    assert stored(crowded) <= MOST_STORED
    assert crowded.signals is not None
    assert [signal.name for signal in crowded.signals] == ["oom_killed"]
    assert crowded.left_out == 10


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(sys.float_info.max)
def test_any_number_a_signal_may_have_is_told(value: float) -> None:
    told = SignalAnswer.of(Signal("heap", canary=value, bound=value))
    assert told.canary == pytest.approx(value, rel=1e-3)


names = st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True), max_size=40, unique=True)


@given(
    names,
    st.text(max_size=700),
    st.sampled_from(["", "<&>", "\x00", "\U0001f600"]),
    st.sampled_from(list(Reason)),
)
def test_no_answer_is_too_long(names: list[str], why: str, wide: str, reason: Reason) -> None:
    asked = Question.model_validate(ASKED)
    answer = VerdictAnswer.of(Judgement(asked, reason, why + 200 * wide, 1.8e9))
    indicators = [IndicatorAnswer(name=name, reason=reason) for name in names]
    short = kept(answer.model_copy(update={"indicators": indicators}))
    assert stored(short) <= MOST_STORED
    assert short.why == answer.why


def test_a_sentence_is_bounded_whatever_prometheus_said(
    judgement: Callable[..., Judgement],
) -> None:
    answer = VerdictAnswer.of(judgement(NAMES[:1], why="x" * 5000))
    assert 500 < len(answer.why) < MOST_BYTES / 3
    assert answer.why.endswith("…")
