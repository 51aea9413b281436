"""A replayed release ends as the judge would have ended it."""

from dataclasses import replace

import numpy as np
import pytest

from cli.replay.simulate import Ending, Outcome, release
from cli.replay.split import Past
from tests.unit.cli.replay.conftest import MakePlan

LENGTH = 120


def past(rate: float = 1000, bad: float = 0.0005, clump: float = 1.0) -> dict[str, Past]:
    rng = np.random.default_rng(3)
    total = rng.poisson(rate * 15, LENGTH).astype(float)
    failed = rng.binomial(total.astype(int), bad).astype(float)
    return {"availability": Past(failed, total, np.full(LENGTH, clump))}


def replayed(plan: MakePlan, *policy: str, extra: float = 0.0, rate: float = 1000) -> Outcome:
    rng = np.random.default_rng(1)
    return release(rng, past(rate), plan(*policy), 15, {"availability": extra})


def test_an_identical_version_is_promoted_stage_by_stage(plan: MakePlan) -> None:
    outcome = replayed(plan)
    assert outcome.ending is Ending.PROMOTED
    assert outcome.seconds <= plan().seconds
    # Looks are half a minute apart.
    assert outcome.seconds % 30 == 0


def test_a_regression_is_aborted_in_the_first_stage(plan: MakePlan) -> None:
    outcome = replayed(plan, extra=0.05)
    assert outcome.ending is Ending.ABORTED
    assert outcome.seconds < plan().stages[0].seconds
    assert outcome.canary_bad["availability"] >= plan().question.policy.min_bad


def test_nothing_is_decided_on_counts_that_are_not_there_yet(plan: MakePlan) -> None:
    """The newest counts are a scrape and a little more old: the first look sees nothing."""
    assert replayed(plan, extra=1.0).seconds > plan().lag


def test_arms_that_are_scraped_apart_take_an_interval_more(plan: MakePlan) -> None:
    """The newest one proves no harm until the next tells that it was no edge, as for the judge."""
    together = replace(plan(), every=15)
    spring = together.question.model_copy(update={"metrics": "spring"})
    apart = replace(together, question=spring)
    assert (together.apart, apart.apart) == (frozenset(), {"availability"})
    one, other = (
        release(np.random.default_rng(1), past(), each, 15, {"availability": 0.05})
        for each in (together, apart)
    )
    assert (one.ending, other.ending) == (Ending.ABORTED, Ending.ABORTED)
    assert other.seconds == one.seconds + 15


def test_without_traffic_the_first_stage_is_held(plan: MakePlan) -> None:
    outcome = replayed(plan, rate=0)
    assert (outcome.ending, outcome.seconds) == (Ending.HELD, 300)


def test_with_little_traffic_the_first_stage_is_held_at_its_end(plan: MakePlan) -> None:
    outcome = replayed(plan, rate=5)
    assert (outcome.ending, outcome.seconds) == (Ending.HELD, 300)


@pytest.mark.parametrize(
    ("choice", "ending"), [("promote", Ending.PROMOTED), ("abort", Ending.ABORTED)]
)
def test_the_policy_may_decide_at_the_deadline(plan: MakePlan, choice: str, ending: Ending) -> None:
    outcome = replayed(plan, f"on_undecided={choice}", rate=5)
    assert outcome.ending is ending


def test_the_deadline_is_decided_although_the_warm_up_comes_first(plan: MakePlan) -> None:
    """The stage's clock begins after it: the controller asks for longer than the stage's time."""
    assert replayed(plan, "on_undecided=abort,warm_up=2m", rate=5).ending is Ending.ABORTED


def test_what_is_left_out_as_warm_up_cannot_abort(plan: MakePlan) -> None:
    young = past()
    young["availability"].bad[:4] = young["availability"].total[:4] * 0.5
    outcomes = [
        release(np.random.default_rng(1), young, plan(*policy), 15, {"availability": extra})
        for policy, extra in (((), 0.0), (("warm_up=60s",), 0.0))
    ]
    # Shared failures are an incident that holds; left out, they are not even that.
    assert outcomes[1].ending is Ending.PROMOTED
    assert outcomes[1].canary_bad["availability"] < outcomes[0].canary_bad["availability"] / 100


def test_clumps_abort_what_tempering_does_not(plan: MakePlan) -> None:
    def aborted(*policy: str) -> int:
        endings = [
            release(
                np.random.default_rng(seed),
                past(rate=100, bad=0.002, clump=10.0),
                plan(*policy),
                15,
                {},
            ).ending
            for seed in range(60)
        ]
        return endings.count(Ending.ABORTED)

    assert aborted() > 10
    assert aborted("burst=10") <= 1


def test_the_same_seed_gives_the_same_release(plan: MakePlan) -> None:
    assert replayed(plan, extra=0.002) == replayed(plan, extra=0.002)
