"""A team that sets nothing gets good behaviour: what docs/verdicts.md says of default stages."""

from pathlib import Path

import pytest
import yaml

from benchmarks.verdicts.stages import EVERY, SCRAPE, Situation, Summary
from cli.replay.simulate import Ending, Outcome
from plugin.judge.plan import plan

ROOT = Path(__file__).parents[4]
USUAL = Situation(100, "availability=99.9")


def endings(situation: Situation, releases: int = 40) -> list[Ending]:
    return [outcome.ending for outcome in situation.outcomes(releases, seed=1)]


def test_the_rhythm_is_that_of_a_stack_that_sets_none() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    defaults = [
        declared[f"sluice:{key}"]["default"] for key in ("scrapeInterval", "analysisInterval")
    ]
    assert defaults == [f"{SCRAPE}s", f"{EVERY}s"]


def test_the_policy_is_what_the_components_send() -> None:
    policy = USUAL.plan.question.policy
    assert policy.warm_up.total_seconds() == 2 * EVERY
    assert policy.on_undecided == "hold"


@pytest.mark.parametrize("base", [0.1, 0.5, 1.0])
def test_a_good_release_with_traffic_enough_waits_for_nobody(base: float) -> None:
    """A hundred requests per second, of which 0.1 % may fail."""
    assert set(endings(Situation(USUAL.rate, USUAL.slo, base))) == {Ending.PROMOTED}


def test_a_release_beyond_the_margin_is_aborted_and_does_not_wait() -> None:
    assert set(endings(Situation(USUAL.rate, USUAL.slo, worse=2))) == {Ending.ABORTED}


def test_shorter_stages_and_another_policy_may_be_tried() -> None:
    short = Situation(10, USUAL.slo, stages="10:5m")
    assert set(endings(short, 5)) == {Ending.HELD}
    abort = Situation(10, USUAL.slo, stages="10:5m", policy=("on_undecided=abort",))
    assert set(endings(abort, 5)) == {Ending.ABORTED}


def test_the_default_stages_leave_the_counts_as_fine_as_the_scrapes() -> None:
    """A longer look-back widens the intervals, for services with much traffic too."""
    asked = USUAL.plan.asked(USUAL.plan.stages[0])
    _, query = plan(asked, SCRAPE, "source", 1_800_000_000.0)
    assert query.step == SCRAPE
    assert query.end - query.start >= USUAL.plan.seconds


def test_times_are_those_of_all_releases() -> None:
    """Of four releases three are promoted: nine of ten never are."""
    outcomes = [
        Outcome(ending, seconds, {"availability": 2.0})
        for ending, seconds in (
            (Ending.PROMOTED, 300),
            (Ending.PROMOTED, 600),
            (Ending.PROMOTED, 900),
            (Ending.HELD, 60),
        )
    ]
    found = Summary.of(outcomes)
    assert (found.promoted, found.held, found.aborted) == (0.75, 0.25, 0)
    assert (found.median, found.p90, found.failed) == (15, float("inf"), 2)
