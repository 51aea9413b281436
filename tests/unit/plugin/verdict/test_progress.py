"""Where a stage stands: what the traffic itself tells of its begin, its share and its time."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin.counts import Counts
from plugin.question import Question
from plugin.statistics.evidence import Strata
from plugin.verdict import Progress
from plugin.verdict.progress import stage_start, starved
from tests.unit.plugin.traffic import of_traffic

Build = Callable[..., Strata]
Of = Callable[..., Progress]
SECONDS = 2


@pytest.fixture
def of(asked: dict[str, Any]) -> Callable[..., Progress]:
    """The progress of a stage with this weight (percent) and time (seconds)."""

    def build(
        traffic: Strata, weight: int | None = 10, time: int | None = None, before: int = 0
    ) -> Progress:
        stage = {"weight": weight, "time": None if time is None else f"{time}s"}
        stages = [{"weight": before}, {"weight": weight}] if before else []
        question = Question.model_validate(asked | {"stage": stage, "stages": stages})
        ends = SECONDS * np.arange(len(traffic))
        counts = Counts({"availability": traffic}, ends, SECONDS, dropped=0, quiet=0)
        return Progress.of(counts, question)

    return build


def test_a_stage_with_its_share_is_as_it_should_be(strata: Build, of: Of) -> None:
    assert of(strata(*[(0, 10, 0, 90)] * 20)) == Progress(0, share=True, over=False)


def test_the_stage_before_does_not_belong_to_it(strata: Build, of: Of) -> None:
    traffic = strata(*[(0, 10, 0, 90)] * 20, *[(0, 30, 0, 70)] * 10)
    assert of(traffic, 30).begins == 20


def test_a_small_step_is_recognised_if_the_stage_before_is_known(strata: Build, of: Of) -> None:
    """From 10 to 14 % a share of 10 looks more like 14 than like 7 for long stretches."""
    rng = np.random.default_rng(7)
    canary = np.concatenate((rng.binomial(100, 0.10, 300), rng.binomial(100, 0.14, 20)))
    traffic = strata(*[(0, each, 0, 100 - each) for each in canary])
    assert abs(of(traffic, 14, before=10).begins - 300) <= 10


def test_a_share_that_has_not_arrived_is_none(strata: Build, of: Of) -> None:
    assert not of(strata(*[(0, 10, 0, 90)] * 20), 30).share


def test_a_canary_with_far_too_much_is_routed_wrongly(strata: Build, of: Of) -> None:
    assert not of(strata(*[(0, 40, 0, 60)] * 20)).share


def test_what_was_routed_wrongly_is_over_when_it_is_over(strata: Build, of: Of) -> None:
    """After ten minutes at 50 % it takes more than an hour at 10 % until 15 % of all are left."""
    wrong = [(0, 50, 0, 50)] * 300
    assert not of(strata(*[(0, 10, 0, 90)] * 20, *wrong)).share
    assert not of(strata(*wrong, *[(0, 10, 0, 90)] * 12)).share
    assert of(strata(*wrong, *[(0, 10, 0, 90)] * 15)).share


def test_a_few_requests_too_many_are_chance(strata: Build, of: Of) -> None:
    """Where the canary gets two requests a minute, three in half a minute are no wrong routing."""
    few = [*[(0, 0, 0, 3)] * 9, (0, 1, 0, 0)] * 30
    assert of(strata(*few, *[(0, 1, 0, 0)] * 3), 4).share
    assert not of(strata(*few, *[(0, 1, 0, 0)] * 30), 4).share


def test_a_canary_that_lost_its_traffic_does_not_keep_its_share(strata: Build, of: Of) -> None:
    """Callers that cannot reach it count no errors against it either."""
    before = [(0, 10, 0, 90)] * 200
    assert of(strata(*before, *[(0, 10, 0, 90)] * 15)).share
    assert not of(strata(*before, *[(0, 3, 0, 97)] * 15)).share


def test_a_few_requests_prove_no_loss(strata: Build) -> None:
    """By chance none of 50 requests goes to a canary at 10 % in one of 200 cases."""
    assert not starved(strata((0, 0, 0, 50)), 0.1)
    assert starved(strata((0, 9, 0, 191)), 0.1)
    assert not starved(strata((0, 10, 0, 190)), 0.1)


def test_a_stage_is_over_when_its_time_is_counted(strata: Build, of: Of) -> None:
    traffic = strata(*[(0, 10, 0, 90)] * 20)
    assert not of(traffic, time=41).over
    assert of(traffic, time=40).over


def test_a_stage_without_a_time_is_never_over(strata: Build, of: Of) -> None:
    assert not of(strata(*[(0, 10, 0, 90)] * 700)).over


def test_the_time_of_an_outage_is_not_the_stages(strata: Build, of: Of) -> None:
    """A deadline that passes while nobody looks must not promote on what was before."""
    outage = [(0, 0, 0, 0)] * 300
    traffic = strata(*[(0, 10, 0, 90)] * 10, *outage, *[(0, 10, 0, 90)] * 2)
    assert not of(traffic, time=60).over
    assert of(traffic, time=24).over


@pytest.mark.parametrize("hole", [(0, 0, 0, 90), (0, 10, 0, 0)], ids=["canary", "stable"])
def test_the_time_in_which_one_arm_is_not_scraped_is_not_the_stages(
    strata: Build, of: Of, hole: tuple[int, ...]
) -> None:
    """Of the hole only the half minute counts in which it may be chance."""
    traffic = strata(*[(0, 10, 0, 90)] * 10, *[hole] * 300, *[(0, 10, 0, 90)] * 2)
    assert not of(traffic, None, time=60).over
    assert of(traffic, None, time=52).over


def test_few_requests_do_not_stop_the_clock(strata: Build, of: Of) -> None:
    """Where the canary gets one request in six seconds, two intervals of three lack one."""
    few = strata(*[(0, 0, 0, 9), (0, 0, 0, 9), (0, 1, 0, 9)] * 20)
    assert of(few, None, time=116).over


def test_a_stage_that_leaves_stable_nothing_has_nothing_to_compare(strata: Build, of: Of) -> None:
    """What the stage before proved must not pass it."""
    traffic = strata(*[(0, 50, 0, 50)] * 20, *[(0, 100, 0, 0)] * 5)
    assert of(traffic, 100, before=50) == Progress(25, alone=True)
    assert of(traffic, 100) == Progress()


def test_the_time_of_the_stage_before_is_not_this_ones(strata: Build, of: Of) -> None:
    traffic = strata(*[(0, 10, 0, 90)] * 100, *[(0, 30, 0, 70)] * 3)
    assert not of(traffic, 30, time=60).over
    assert of(traffic, 30, time=6).over


def test_without_a_weight_the_rollout_is_the_stage(strata: Build, of: Of) -> None:
    """Blue-green has no weight; at 0 and 100 there is nothing to tell a stage by."""
    traffic = strata(*[(0, 50, 0, 50)] * 20)
    for weight in (None, 0, 100):
        assert of(traffic, weight) == Progress()
        assert of(traffic, weight, time=40).over


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 5000)), max_size=60),
    st.integers(1, 99),
    st.integers(1, 200),
)
def test_no_time_is_over_before_it_was_observed(
    of: Of, arms: list[tuple[int, int]], weight: int, time: int
) -> None:

    canary, stable = (np.array([one[arm] for one in arms], dtype=np.float64) for arm in (0, 1))
    nothing = np.zeros(len(arms))
    progress = of(Strata(nothing, canary, nothing, stable), weight, time)
    seen = int(np.count_nonzero(canary + stable))
    assert 0 <= progress.begins <= len(arms)
    assert not progress.over or seen * SECONDS >= time


@pytest.mark.parametrize(("before", "after"), [(0.9, 0.02), (0.7, 0.04), (0.04, 0.7)])
@pytest.mark.parametrize("silent", [0, 2, 5])
@pytest.mark.parametrize("more", [0.5, 1, 3])
def test_a_share_that_changes_from_one_extreme_to_the_other_is_never_right(
    of: Of, before: float, after: float, silent: int, more: float
) -> None:
    """In a mean over both it would be for a moment, and that moment would promote.

    A change of the routing may come with one of the load, after a silence.
    """
    old = (100 * before, 100 * (1 - before))
    new = (100 * more * after, 100 * more * (1 - after))
    shares = [
        of(of_traffic(*[old] * 30, *[(0, 0)] * silent, *[new] * since), weight=20).share
        for since in range(16)
    ]
    assert not any(shares)


@pytest.mark.parametrize(("before", "weight"), [(0.0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.5, 0.75)])
def test_a_stage_starts_when_its_share_arrives(before: float, weight: float) -> None:
    rng = np.random.default_rng(7)
    canary = rng.binomial(100, np.repeat([before, weight], 30)).astype(float)
    start = stage_start(of_traffic(*zip(canary, 100 - canary, strict=True)), weight)
    assert abs(start - 30) <= 1


def test_a_stage_whose_share_has_not_arrived_has_not_started() -> None:
    assert stage_start(of_traffic(*[(10, 90)] * 30), 0.3) == 30
    assert stage_start(of_traffic(), 0.3) == 0


def test_a_stage_before_that_looked_like_it_is_none_of_it(strata: Build, of: Of) -> None:
    """Of stable's pods only one of ten is scraped for a while: 5 % look like a third."""
    before = [(0, 5, 0, 95)] * 10
    unscraped = [(0, 5, 0, 9.5)] * 60
    traffic = strata(*before, *unscraped, *[(0, 50, 0, 950)] * 2, *[(0, 200, 0, 800)] * 5)
    progress = of(traffic, 20, time=60, before=5)
    assert progress.begins == len(traffic) - 5
    assert not progress.over


@pytest.mark.parametrize(
    "missed", [[(0, 0, 0, 80)] * 3 + [(0, 80, 0, 80)], [(0, 10, 0, 80), (0, 30, 0, 80)] * 20]
)
def test_scrapes_of_the_canary_that_are_missed_begin_no_stage_anew(
    strata: Build, of: Of, missed: list[tuple[int, ...]]
) -> None:
    """All of its pods' for a moment, or those of one of its two pods again and again."""
    right = [(0, 20, 0, 80)] * 15
    assert of(strata(*right, *missed, *right), 20, before=5).begins == 0
