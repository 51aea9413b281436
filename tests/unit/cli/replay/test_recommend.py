"""What is recommended follows from the past, and a past that suits the plan changes nothing."""

from dataclasses import replace
from datetime import timedelta
from math import inf

import pytest

from cli.replay.history import Chunks, assemble
from cli.replay.plan import Plan, Stage
from cli.replay.recommend import Advice, advise, burst
from cli.replay.study import study
from cli.replay.warmup import WarmUp
from tests.unit.cli.replay.conftest import MakeChunks, MakePlan


def advice(plan: Plan, chunks: Chunks) -> Advice:
    return advise(plan, study(assemble(chunks, 0, 15, ["availability"]), chunks), seed=1)


def test_a_plan_that_suits_the_past_is_left_as_it_is(plan: MakePlan, chunks: MakeChunks) -> None:
    given = plan()
    found = advice(given, chunks(12, rate=5000))
    assert found.plan == given
    assert found.provable
    assert max(found.stage_seconds) <= 300


@pytest.mark.parametrize("clump", [1, 3, 5, 8])
def test_burst_is_the_size_of_the_clumps(plan: MakePlan, chunks: MakeChunks, clump: int) -> None:
    found = advice(plan(), chunks(24, rate=200, clump=clump)).plan.question.policy.burst
    assert found == pytest.approx(clump, rel=0.2)
    assert found * 2 == int(found * 2)


def test_a_burst_that_history_does_not_need_is_lowered(plan: MakePlan, chunks: MakeChunks) -> None:
    assert advice(plan("burst=8"), chunks(24)).plan.question.policy.burst == 1


def test_a_burst_that_cannot_be_measured_is_kept(plan: MakePlan, chunks: MakeChunks) -> None:
    found = advice(plan("burst=3"), chunks(4, bad=0))
    assert found.plan.question.policy.burst == 3
    assert burst(found.findings.dispersions) is None


def test_a_stage_that_is_too_short_gets_the_time_it_needs(
    plan: MakePlan, chunks: MakeChunks
) -> None:
    found = advice(plan(stages="20:1m,50:30m"), chunks(24, rate=300))
    first, second = found.plan.stages
    assert first.seconds >= found.stage_seconds[0] > 60
    assert first.seconds % 60 == 0
    assert second == Stage(50, 1800)  # long enough: not shortened


def test_too_little_traffic_widens_the_margin(plan: MakePlan, chunks: MakeChunks) -> None:
    found = advice(plan(), chunks(24, rate=60))
    assert found.plan.question.policy.pass_margin > 1
    assert found.provable
    assert max(found.needed[1.0]) > 1800 >= max(found.stage_seconds)


def test_wider_margins_are_proven_sooner(plan: MakePlan, chunks: MakeChunks) -> None:
    needed = advice(plan(), chunks(24, rate=60)).needed
    for stage in range(2):
        times = [needed[margin][stage] for margin in sorted(needed)]
        assert times == sorted(times, reverse=True)


def test_hardly_any_traffic_proves_nothing(plan: MakePlan, chunks: MakeChunks) -> None:
    given = plan()
    found = advice(given, chunks(24, rate=0.5))
    assert not found.provable
    assert found.plan.stages == given.stages
    assert found.plan.question.policy.pass_margin == 1
    assert found.stage_seconds[0] == inf


def test_the_warm_up_of_past_releases_is_left_out_and_lengthens_the_first_stage(
    plan: MakePlan, chunks: MakeChunks
) -> None:
    seen = chunks(12, rate=2000)
    found = study(assemble(seen, 0, 15, ["availability"]), seen)
    cold = replace(found, warm_up=WarmUp(releases=4, seconds=75, young=0.01, settled=0.001))
    before, after = (advise(plan(), one, seed=1) for one in (found, cold))
    assert after.plan.question.policy.warm_up == timedelta(seconds=75)
    assert after.stage_seconds[0] == before.stage_seconds[0] + 75
    assert after.stage_seconds[1] == before.stage_seconds[1]


def test_a_longer_warm_up_is_kept(plan: MakePlan, chunks: MakeChunks) -> None:
    seen = chunks(6)
    found = study(assemble(seen, 0, 15, ["availability"]), seen)
    cold = replace(found, warm_up=WarmUp(releases=4, seconds=0, young=0.001, settled=0.001))
    policy = advise(plan("warm_up=2m"), cold, seed=1).plan.question.policy
    assert policy.warm_up == timedelta(minutes=2)
