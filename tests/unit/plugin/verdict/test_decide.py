"""The rules, one by one: what fails, holds and passes a release, and in which order."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from plugin.policy import Policy
from plugin.slo import SLO
from plugin.statistics.evidence import Strata
from plugin.statistics.limits import Limits
from plugin.verdict import Case, Progress, Reason, Verdict, decide

Build = Callable[..., Strata]
SLO_99 = SLO.model_validate({"availability": 99, "latency": {"percentile": 95, "threshold": "1s"}})
AVAILABILITY, LATENCY = SLO_99.objectives


def case(rollout: Strata, policy: Policy | None = None, begins: int = 0) -> Case:
    policy = policy or Policy()
    limits = Limits.of(AVAILABILITY, SLO_99, policy)
    progress = Progress(begins)
    return Case(AVAILABILITY, limits, policy, rollout, 2, progress, fresh=True)


def test_a_good_release_passes(strata: Build) -> None:
    assert case(strata(*[(0, 10, 0, 90)] * 45)).reason is Reason.NON_INFERIOR


def test_what_was_proven_once_stays_proven(strata: Build) -> None:
    """Flagger asks every ten seconds: a fail between two of its ticks must still be there."""
    failing = [(1, 10, 0, 90)] * 6
    lucky = [(0, 40, 0, 90)] * 10
    at_its_height = case(strata(*failing))
    later = case(strata(*failing, *lucky))
    assert at_its_height.reason is Reason.REGRESSION
    assert later.reason is Reason.REGRESSION
    assert later.harm >= later.to_fail
    assert later.extra[0] >= 0.0025


def test_a_release_that_fails_more_than_stable_fails(strata: Build) -> None:
    assert case(strata(*[(1, 10, 0, 90)] * 6)).reason is Reason.REGRESSION


def test_a_little_evidence_decides_nothing(strata: Build) -> None:
    assert case(strata(*[(0, 10, 0, 90)] * 5)).reason is Reason.GATHERING


def test_too_few_bad_requests_fail_nothing(strata: Build) -> None:
    failing = strata(*[(1, 10, 0, 90)] * 6)
    assert case(failing, Policy(min_bad=7)).reason is not Reason.REGRESSION


def test_too_few_requests_pass_nothing(strata: Build) -> None:
    good = strata(*[(0, 10, 0, 90)] * 45)
    assert case(good, Policy(min_requests=451)).reason is Reason.GATHERING


def test_a_stage_has_to_be_proven_itself(strata: Build) -> None:
    """What was safe at a small weight may not be at a large one."""
    rollout = strata(*[(0, 10, 0, 90)] * 60)
    assert case(rollout, begins=58).reason is Reason.GATHERING


def test_a_stage_without_its_share_does_not_pass(strata: Build) -> None:
    good = case(strata(*[(0, 10, 0, 90)] * 60))
    assert replace(good, progress=Progress(share=False)).reason is Reason.TRAFFIC_SHARE


def test_harm_in_an_earlier_stage_is_not_forgotten(strata: Build) -> None:
    rollout = strata(*[(1, 10, 0, 90)] * 8, *[(0, 30, 0, 70)] * 2)
    assert case(rollout, begins=8).reason is Reason.REGRESSION


def test_stale_counts_pass_nothing_but_still_fail(strata: Build) -> None:
    """Prometheus has stopped: no promotion on what was, no forgiveness either."""
    good, bad = case(strata(*[(0, 10, 0, 90)] * 60)), case(strata(*[(2, 10, 0, 90)] * 6))
    assert replace(good, fresh=False).reason is Reason.NO_DATA
    assert replace(bad, fresh=False).reason is Reason.REGRESSION


def test_a_shared_incident_holds_a_good_release(strata: Build) -> None:
    good, incident = [(0, 10, 0, 90)] * 60, [(2, 10, 18, 90)] * 10
    assert case(strata(*good, *incident)).reason is Reason.COMMON_MODE


def test_a_good_release_passes_after_the_incident(strata: Build) -> None:
    good, incident = [(0, 10, 0, 90)] * 30, [(2, 10, 18, 90)] * 12
    assert case(strata(*good, *incident, *good)).reason is Reason.NON_INFERIOR


def test_a_total_shared_outage_does_not_fail_a_good_release(strata: Build) -> None:
    """Neither during it nor afterwards, though the canary alone burnt far beyond its limit."""
    good, outage = [(0, 10, 0, 90)] * 10, [(10, 10, 90, 90)] * 12
    for after in (0, 1, 5, 20, 60):
        held = case(strata(*good, *outage, *good * after))
        assert held.reason.verdict is not Verdict.FAIL


def test_a_regression_fails_even_during_an_incident(strata: Build) -> None:
    assert case(strata(*[(9, 10, 18, 90)] * 10)).reason is Reason.REGRESSION


def test_a_fix_may_go_out_while_stable_burns(strata: Build) -> None:
    assert case(strata(*[(0, 10, 18, 90)] * 45)).reason is Reason.NON_INFERIOR


def test_a_canary_alone_that_burns_fails(strata: Build) -> None:
    """At full weight there is nothing to compare with; the SLO is absolute."""
    full = case(strata(*[(0, 50, 0, 50)] * 10, *[(40, 100, 0, 0)] * 20))
    assert replace(full, progress=Progress(begins=30, alone=True)).reason is Reason.SLO_BURN


@pytest.mark.parametrize("fresh", [True, False])
def test_a_stable_that_is_no_longer_scraped_leaves_nothing_to_abort_for(
    strata: Build, fresh: bool
) -> None:
    """An incident that both share looks like the canary's own while nobody counts stable's."""
    shared = case(strata(*[(0, 10, 0, 90)] * 10, *[(6, 10, 0, 0)] * 20))
    reason = replace(shared, fresh=fresh).reason
    assert reason is (Reason.GATHERING if fresh else Reason.NO_DATA)


def test_a_canary_without_any_stable_request_can_only_fail(strata: Build) -> None:
    good = replace(case(strata(*[(0, 100, 0, 0)] * 60)), fresh=False)
    assert good.reason is Reason.NO_DATA
    burning = case(strata(*[(40, 100, 0, 0)] * 20))
    assert replace(burning, progress=Progress(alone=True)).reason is Reason.SLO_BURN
    assert burning.reason is Reason.NO_DATA


def test_a_latency_bucket_that_does_not_exist_is_a_data_fault(strata: Build) -> None:
    """Without the bucket every request seems slow: that is no reason to abort."""
    blind = strata(*[(100, 100, 0, 0)] * 20)
    assert replace(case(blind), objective=LATENCY).reason is Reason.NO_DATA


def test_bursts_discount_evidence(strata: Build) -> None:
    failing = strata(*[(1, 10, 0, 90)] * 6)
    assert case(failing, Policy(burst=5)).reason is not Reason.REGRESSION


def test_any_failure_decides_and_all_have_to_pass(strata: Build) -> None:
    good, bad = case(strata(*[(0, 10, 0, 90)] * 60)), case(strata(*[(2, 10, 0, 90)] * 60))
    waiting = case(strata((0, 10, 0, 90)))
    assert decide([good, waiting, bad]).case is bad
    assert decide([good, waiting]).case is waiting
    assert decide([good, good]).reason.verdict is Verdict.PASS


AT_THE_DEADLINE = {
    "hold": Reason.GATHERING,
    "promote": Reason.UNDECIDED_PROMOTED,
    "abort": Reason.UNDECIDED_ABORTED,
}


@pytest.mark.parametrize("on_undecided", AT_THE_DEADLINE)
def test_a_lack_of_evidence_at_the_deadline_is_the_policys_to_decide(
    strata: Build, on_undecided: str
) -> None:
    policy = Policy.model_validate({"on_undecided": on_undecided})
    open_ = case(strata(*[(0, 10, 0, 90)] * 10), policy)
    assert decide([open_]).reason is Reason.GATHERING
    over = replace(open_, progress=Progress(over=True))
    assert decide([over]).reason is AT_THE_DEADLINE[on_undecided]


def test_a_stage_that_hardly_had_a_request_is_not_promoted_at_its_deadline(
    strata: Build,
) -> None:
    """Of each objective: one bad event of one says nothing, however many requests others had."""
    policy = Policy.model_validate({"on_undecided": "promote"})
    rare, busy = (
        replace(case(strata(*[(0, 10, 0, 90)] * looks), policy), progress=Progress(over=True))
        for looks in (9, 10)
    )
    assert decide([rare]).reason is Reason.GATHERING
    for cases in ([rare, busy], [busy, rare]):
        assert decide(cases).reason is Reason.GATHERING
        assert decide(cases).case is rare
    assert decide([busy, busy]).reason is Reason.UNDECIDED_PROMOTED


@pytest.mark.parametrize("on_undecided", ["promote", "abort"])
def test_what_is_proven_counts_for_more_than_the_deadline(strata: Build, on_undecided: str) -> None:
    policy = Policy.model_validate({"on_undecided": on_undecided})
    good, bad = (case(strata(*[(bad, 10, 0, 90)] * 60), policy) for bad in (0, 2))
    over = [replace(one, progress=Progress(over=True)) for one in (good, bad)]
    assert decide(over[:1]).reason is Reason.NON_INFERIOR
    assert decide(over).reason is Reason.REGRESSION


@pytest.mark.parametrize("on_undecided", ["promote", "abort"])
def test_no_fault_and_no_hold_is_decided_by_the_deadline(strata: Build, on_undecided: str) -> None:
    """Whatever the other objective says: an outage at the deadline must not promote or abort."""
    policy = Policy.model_validate({"on_undecided": on_undecided})
    over = Progress(over=True)
    gathering = replace(case(strata(*[(0, 10, 0, 90)] * 5), policy), progress=over)
    shared = strata(*[(0, 10, 0, 90)] * 60, *[(2, 10, 18, 90)] * 10)
    held = [
        replace(gathering, fresh=False),
        replace(case(shared, policy), progress=over),
        replace(gathering, progress=Progress(share=False, over=True)),
        replace(case(strata((0, 0, 0, 90)), policy), progress=over, fresh=False),
    ]
    reasons = [Reason.NO_DATA, Reason.COMMON_MODE, Reason.TRAFFIC_SHARE, Reason.NO_DATA]
    for one, reason in zip(held, reasons, strict=True):
        for cases in ([one], [gathering, one], [one, gathering]):
            decision = decide(cases)
            assert decision.reason is reason
            assert decision.reason.verdict is Verdict.UNDECIDED


PASSES = {Reason.NON_INFERIOR, Reason.UNDECIDED_PROMOTED, Reason.MAY_BEGIN}


def test_only_proof_and_policy_promote_and_faults_do_nothing() -> None:
    assert {reason for reason in Reason if reason.verdict is Verdict.PASS} == PASSES
    undecided = {reason for reason in Reason if reason.verdict is Verdict.UNDECIDED}
    faults = {Reason.CONFIG_ERROR, Reason.QUERY_ERROR, Reason.NO_DATA, Reason.TRAFFIC_SHARE}
    assert faults <= undecided
