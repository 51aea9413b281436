"""A split invents no request, loses none, and leaves clumps whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.replay.split import Past, split

SEEDS = st.integers(min_value=0, max_value=2**32)
INTERVAL = st.tuples(st.integers(0, 300), st.integers(0, 3000), st.floats(1, 100))


@given(SEEDS, st.lists(INTERVAL, min_size=1, max_size=20), st.floats(0.01, 0.99))
def test_both_arms_together_are_the_past(
    seed: int, intervals: list[tuple[int, int, float]], weight: float
) -> None:
    bad, good, clump = np.array(intervals, float).T
    past = Past(bad, bad + good, clump)
    arms = split(np.random.default_rng(seed), past, weight)
    assert (arms.canary_bad + arms.stable_bad).tolist() == bad.tolist()
    assert (arms.canary_total + arms.stable_total).tolist() == (bad + good).tolist()
    assert (arms.canary_bad <= arms.canary_total).all()
    assert (arms.stable_bad <= arms.stable_total).all()
    assert min(arms.canary_bad.min(), arms.stable_bad.min()) >= 0


@given(SEEDS, st.floats(0, 1))
def test_injected_failures_are_requests_that_were_good(seed: int, extra: float) -> None:
    past = Past(np.full(10, 5.0), np.full(10, 100.0), np.ones(10))
    arms = split(np.random.default_rng(seed), past, 0.5, extra)
    assert (arms.canary_total + arms.stable_total == 100).all()
    assert (arms.stable_bad <= 5).all()
    assert (arms.canary_bad <= arms.canary_total).all()
    if extra == 1:
        assert (arms.canary_bad == arms.canary_total).all()


def test_the_canary_gets_its_share_and_the_extra_failures() -> None:
    rng = np.random.default_rng(1)
    past = Past(np.full(5000, 10.0), np.full(5000, 1000.0), np.full(5000, 2.5))
    arms = split(rng, past, 0.1, extra=0.02)
    assert arms.share == pytest.approx(0.1, rel=0.01)
    ratio = arms.canary_bad.sum() / arms.canary_total.sum()
    assert ratio == pytest.approx(0.01 + 0.99 * 0.02, rel=0.03)


@pytest.mark.parametrize("phi", [1.0, 1.5, 3.0, 4.7])
def test_failures_are_as_clumped_as_they_were(phi: float) -> None:
    rng = np.random.default_rng(2)
    past = Past(np.full(20000, 60.0), np.full(20000, 1000.0), np.full(20000, phi))
    bad = split(rng, past, 0.2).canary_bad
    assert bad.var() / (60 * 0.2 * 0.8) == pytest.approx(phi, rel=0.06)
