"""Where each arm is scraped at its own time, an incident of both is no difference between them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from plugin.policy import Policy
from plugin.slo import SLO
from plugin.statistics.evidence import Strata
from plugin.statistics.limits import Limits
from plugin.verdict import Case, Progress, Reason, Verdict, decide

Row = tuple[int, int, int, int]
"""Canary bad and total, stable bad and total."""
SLO_99 = SLO.model_validate({"availability": 99})
(AVAILABILITY,) = SLO_99.objectives

GOOD: Row = (0, 150, 0, 1350)
OUTAGE: Row = (150, 150, 1350, 1350)
CANARY_FIRST: Row = (140, 150, 0, 1350)
"""The canary was scraped 14 seconds into the outage, stable just before it."""
STABLE_FIRST: Row = (0, 150, 1260, 1350)


def case(rows: Sequence[Row], apart: bool = True) -> Case:
    strata = Strata(*np.array(rows, dtype=np.float64).reshape(-1, 4).T)
    limits = Limits.of(AVAILABILITY, SLO_99, Policy())
    return Case(AVAILABILITY, limits, Policy(), strata, 15, Progress(), fresh=True, apart=apart)


@pytest.mark.parametrize("after", [0, 1, 2, 5, 40])
@pytest.mark.parametrize("outage", [1, 2, 8])
@pytest.mark.parametrize("edge", [CANARY_FIRST, STABLE_FIRST])
def test_an_outage_that_one_arm_shows_first_fails_no_good_release(
    edge: Row, outage: int, after: int
) -> None:
    """Whenever it is asked, and in whatever order the arms show its end."""
    for end in (CANARY_FIRST, STABLE_FIRST):
        rows = [*[GOOD] * 3, edge, *[OUTAGE] * outage, end, *[GOOD] * after]
        assert case(rows).reason.verdict is not Verdict.FAIL


@pytest.mark.parametrize("pods", [1, 4])
@pytest.mark.parametrize("ratio", [0.02, 0.055, 0.3])
@pytest.mark.parametrize("phase", [-0.9, -0.5, -0.1, 0.1, 0.5, 0.9])
def test_no_shared_brownout_fails_a_good_release(phase: float, ratio: float, pods: int) -> None:
    """Also one in which stable burns its budget too slowly to be called an incident.

    `phase` says by which part of an interval the canary is scraped later than the first of stable's
    pods. The brownout lasts from within the sixth interval until within the thirteenth.
    """
    times = np.arange(20.0)

    def brownout(later: float) -> NDArray[np.float64]:
        """The part of each interval, of a pod that is scraped so much later, that it fills."""
        begins, ends = 5.3, 12.6
        return np.clip(
            np.minimum(times + 1 + later, ends) - np.maximum(times + later, begins), 0, 1
        )

    stable = np.mean([brownout(pod / pods) for pod in range(pods)], axis=0)
    canary_total, stable_total = 15_000, 15_000
    rows = [
        (round(canary_total * bad), canary_total, round(stable_total * stable_bad), stable_total)
        for bad, stable_bad in zip(
            0.001 + ratio * brownout(phase), 0.001 + ratio * stable, strict=True
        )
    ]
    for look in range(2, len(rows) + 1):
        assert case(rows[:look]).reason.verdict is not Verdict.FAIL


def test_in_one_scrape_the_same_counts_are_proof() -> None:
    rows = [*[GOOD] * 3, CANARY_FIRST]
    assert case(rows, apart=False).reason.verdict is Verdict.FAIL
    assert case(rows).reason is Reason.GATHERING
    assert case([*rows, OUTAGE]).reason is Reason.COMMON_MODE


def test_a_stage_that_had_its_time_is_not_promoted_while_the_newest_interval_is_bad() -> None:
    """It may be the release that has turned bad; the next interval tells."""
    promote = Policy.model_validate({"on_undecided": "promote", "min_requests": 1})
    over = replace(case([*[GOOD] * 3, CANARY_FIRST]), policy=promote, progress=Progress(over=True))
    assert decide([over]).reason is Reason.GATHERING
    calm = replace(over, rollout=case([GOOD, GOOD, (3, 150, 0, 1350)]).rollout)
    assert decide([calm]).reason is Reason.UNDECIDED_PROMOTED


def test_an_outage_that_stable_shows_first_makes_no_bad_release_better() -> None:
    bad: Row = (3, 150, 0, 1350)
    rows = [bad, STABLE_FIRST]
    assert case(rows, apart=False).reason is Reason.NON_INFERIOR
    assert case(rows).reason is Reason.COMMON_MODE


def test_a_bad_release_fails_an_interval_later() -> None:
    bad: Row = (15, 150, 0, 1350)
    assert case([GOOD, bad], apart=False).reason is Reason.REGRESSION
    assert case([GOOD, bad]).reason is not Reason.REGRESSION
    assert case([GOOD, bad, bad]).reason is Reason.REGRESSION


def test_a_bad_release_fails_in_the_middle_of_an_incident() -> None:
    incident: Row = (75, 150, 270, 1350)
    assert case([*[GOOD] * 3, *[incident] * 6]).reason is Reason.REGRESSION


def test_a_fix_may_go_out_while_stable_burns() -> None:
    assert case([(0, 150, 270, 1350)] * 10).reason is Reason.NON_INFERIOR


def test_a_good_release_passes_after_the_incident() -> None:
    rows = [*[GOOD] * 3, CANARY_FIRST, *[OUTAGE] * 4, STABLE_FIRST, *[GOOD] * 10]
    assert case(rows).reason is Reason.NON_INFERIOR


rows_of_any_kind = st.lists(
    st.sampled_from([GOOD, OUTAGE, CANARY_FIRST, STABLE_FIRST, (5, 150, 0, 1350), (0, 0, 9, 90)]),
    max_size=20,
)


@given(rows_of_any_kind)
def test_to_look_twice_never_proves_more_harm(rows: list[Row]) -> None:
    """So the level of the test holds as it did."""
    careful = case(rows)
    together = replace(careful, apart=False)
    assert careful.harm <= together.harm
    assert careful.extra[0] <= together.extra[0]
