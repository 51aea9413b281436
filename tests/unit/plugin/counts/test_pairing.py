"""Events that are scraped at different times are compared, and none is lost or made up."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plugin.counts.pairing import paired
from plugin.statistics.evidence import Strata
from tests.unit.plugin.traffic import of_traffic


def test_events_that_are_scraped_at_other_times_are_compared() -> None:
    strata = Strata(
        *(
            np.array(arm, dtype=np.float64)
            for arm in (
                [1, 0, 0, 0, 2, 0, 0],
                [5, 0, 0, 0, 6, 0, 0],
                [0, 0, 3, 0, 0, 0, 0],
                [0, 0, 50, 0, 0, 0, 60],
            )
        )
    )
    found = paired(strata, reach=3)
    assert found.canary_total.tolist() == [0, 0, 5, 0, 0, 0, 6]
    assert found.canary_bad.tolist() == [0, 0, 1, 0, 0, 0, 2]
    assert found.stable_total.tolist() == [0, 0, 50, 0, 0, 0, 60]


def test_events_wait_for_a_while_only() -> None:
    apart = of_traffic((5, 0), (0, 0), (0, 0), (0, 50))
    assert not paired(apart, reach=2).comparable.any()
    assert paired(apart, reach=3).comparable.tolist() == [False, False, False, True]


totals = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=20)


@given(totals, st.integers(0, 5))
def test_pairing_loses_nothing_and_changes_nothing_that_can_be_compared(
    totals: list[tuple[int, int]], reach: int
) -> None:
    before = of_traffic(*totals)
    after = paired(before, reach)
    assert after.canary_total.sum() == before.canary_total.sum()
    assert after.stable_total.sum() == before.stable_total.sum()
    assert (after.comparable | ~before.comparable).all()
    if before.comparable.all():
        assert after.canary_total.tolist() == before.canary_total.tolist()
