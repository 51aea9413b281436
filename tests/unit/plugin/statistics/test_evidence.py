"""The statistic: exact validity, agreement with reference values, and sane behaviour."""

from collections.abc import Callable
from itertools import product
from math import comb, exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.statistics.evidence import (
    HARM,
    SAFE,
    Array,
    Process,
    Strata,
    burn,
    burning,
    compare,
    trailing,
)

Build = Callable[..., Strata]
count = st.integers(0, 200)


def one(bad: float, total: float, stable_bad: float, stable_total: float) -> Strata:
    return Strata(*(np.array([value], float) for value in (bad, total, stable_bad, stable_total)))


def expected_e(
    tilts: Array, m: int, n: int, p: float, q: float, *, margin: float, ratio: float = 1
) -> float:
    """E[e] by enumerating both binomials."""
    return sum(
        comb(m, x) * p**x * (1 - p) ** (m - x)
        * comb(n, y) * q**y * (1 - q) ** (n - y)
        * exp(compare(one(x, m, y, n), tilts, ratio).log_e(margin))
        for x, y in product(range(m + 1), range(n + 1))
    )  # fmt: skip


def test_it_agrees_with_the_reference_values(strata: Build) -> None:
    whole = strata((6, 600, 5, 5400))
    assert compare(whole, HARM).log_e(0) == pytest.approx(5.787558, abs=1e-6)
    assert compare(whole, HARM).log_e(0.0005) == pytest.approx(4.546174, abs=1e-6)
    assert compare(whole, SAFE).log_e(0.001) == pytest.approx(-3.614327, abs=1e-6)


def test_splitting_at_a_constant_share_changes_nothing(strata: Build) -> None:
    whole = compare(strata((6, 600, 5, 5400)), HARM)
    halves = compare(strata((3, 300, 2, 2700), (3, 300, 3, 2700)), HARM)
    assert halves.log_e(0.0005) == pytest.approx(whole.log_e(0.0005))


@pytest.mark.parametrize("q", [0.0, 0.1, 0.4])
@pytest.mark.parametrize("margin", [0.0, 0.1])
@pytest.mark.parametrize("ratio", [1.0, 1.5])
@pytest.mark.parametrize(("m", "n"), [(1, 4), (4, 3), (5, 1)])
def test_an_acceptable_canary_has_no_expected_evidence_of_harm(
    m: int, n: int, q: float, margin: float, ratio: float
) -> None:
    """E[e] ≤ 1 at the worst canary the null hypothesis allows: that bounds false aborts."""
    p = ratio * q + margin
    assert expected_e(HARM, m, n, p, q, margin=margin, ratio=ratio) <= 1 + 1e-9


@pytest.mark.parametrize("q", [0.0, 0.1, 0.4])
@pytest.mark.parametrize("margin", [0.05, 0.2])
@pytest.mark.parametrize(("m", "n"), [(1, 4), (4, 3), (5, 1)])
def test_a_harmful_canary_has_no_expected_evidence_of_safety(
    m: int, n: int, q: float, margin: float
) -> None:
    """E[e] ≤ 1 at the best canary that is beyond the margin: that bounds false promotions."""
    assert expected_e(SAFE, m, n, q + margin, q, margin=margin) <= 1 + 1e-9


@pytest.mark.parametrize("p", [0.05, 0.3])
def test_an_arm_within_its_limit_has_no_expected_evidence_of_burning(p: float) -> None:
    m = 6
    expected = sum(
        comb(m, x) * p**x * (1 - p) ** (m - x) * exp(burn(x, m).log_e(p)) for x in range(m + 1)
    )
    assert expected <= 1 + 1e-9


@pytest.mark.parametrize("burst", [2, 3])
def test_tempering_keeps_validity_when_failures_come_in_bursts(burst: int) -> None:
    """Each failure event fails `burst` requests of one arm; untempered, E[e] would exceed 1."""
    m, n, p = 3, 6, 0.2
    expected = {1: 0.0, burst: 0.0}
    for x, y in product(range(m + 1), range(n + 1)):
        chance = comb(m, x) * p**x * (1 - p) ** (m - x) * comb(n, y) * p**y * (1 - p) ** (n - y)
        events = one(x * burst, m * burst, y * burst, n * burst)
        for divisor in expected:
            expected[divisor] += chance * exp(compare(events, HARM, burst=divisor).log_e(0))
    assert expected[burst] <= 1 + 1e-9 < expected[1]


def test_processes_that_begin_later_are_valid_together() -> None:
    m, n, p, starts = 2, 3, 0.3, [(0, 0.7), (1, 0.2), (9, 0.1)]

    def chance(x: int, of: int) -> float:
        return comb(of, x) * p**x * (1 - p) ** (of - x)

    expected = 0.0
    for x1, y1, x2, y2 in product(range(m + 1), range(n + 1), range(m + 1), range(n + 1)):
        two = Strata(*(np.array(pair, float) for pair in ((x1, x2), (m, m), (y1, y2), (n, n))))
        weight = chance(x1, m) * chance(x2, m) * chance(y1, n) * chance(y2, n)
        expected += weight * exp(compare(two, HARM, starts=starts).log_e(0))
    assert expected <= 1 + 1e-9


def test_a_release_that_turns_bad_is_found_by_a_process_that_began_later(strata: Build) -> None:
    turned = strata(*[(0, 10, 0, 90)] * 80, *[(1, 10, 0, 90)] * 7)
    at_once = compare(turned, HARM).log_e(0.0025)
    later = compare(turned, HARM, starts=[(0, 0.8), (80, 0.2)]).log_e(0.0025)
    assert later > log(400) > at_once


@given(count, count)
def test_intervals_without_requests_in_both_arms_prove_nothing(bad: int, total: int) -> None:
    for strata in (one(min(bad, total), total, 0, 0), one(0, 0, min(bad, total), total)):
        assert compare(strata, HARM).log_e(0.01) == 0
        assert compare(strata, SAFE).log_e(0.01) == 0


@given(st.integers(0, 98), st.integers(0, 900), st.floats(0, 0.5))
def test_more_failures_are_more_evidence_of_harm(bad: int, stable: int, margin: float) -> None:
    fewer, more = (compare(one(x, 100, stable, 900), HARM).log_e(margin) for x in (bad, bad + 1))
    assert more > fewer


@given(st.integers(0, 100), st.integers(0, 900), st.floats(0, 0.2), st.floats(0.001, 0.2))
def test_the_interval_says_what_the_verdict_says(
    bad: int, stable: int, margin: float, level: float
) -> None:
    """Lower above the margin ⇔ proven harmful; upper below the margin ⇔ proven safe."""
    harm = compare(one(bad, 100, stable, 900), HARM)
    safe = compare(one(bad, 100, stable, 900), SAFE)
    near = 1e-6
    if abs(harm.lower(level) - margin) > near:
        assert (harm.lower(level) > margin) == (harm.log_e(margin) >= log(1 / level))
    if abs(safe.upper(level) - margin) > near:
        assert (safe.upper(level) < margin) == (safe.log_e(margin) >= log(1 / level))


def test_without_requests_every_difference_is_possible(strata: Build) -> None:
    assert compare(strata(), HARM).lower(0.01) == -1
    assert compare(strata(), SAFE).upper(0.05) == 1


def test_a_shared_incident_is_no_evidence_against_the_canary(strata: Build) -> None:
    incident = strata(*[(2, 10, 18, 90)] * 100)
    assert compare(incident, HARM).log_e(0) < 0


def test_a_growing_weight_during_an_incident_does_not_look_like_a_regression(
    strata: Build,
) -> None:
    """Pooled over time the canary fails 0.90 % and stable 0.18 %: Simpson's paradox."""
    ramp = strata(*[(0, 50, 1, 950)] * 50, *[(5, 500, 5, 500)] * 50)
    assert compare(ramp, HARM).log_e(0) < 1


def test_an_extreme_payload_stays_finite(strata: Build) -> None:
    extreme = strata((1e12, 1e12, 0, 1e12), (0, 1, 1e12, 1e12))
    for tilts in (HARM, SAFE):
        assert np.isfinite(compare(extreme, tilts).log_e(0.5))


def test_an_incident_is_seen_in_two_intervals_and_over_when_its_window_is() -> None:
    total = np.full(60, 90.0)
    bad = np.zeros(60)
    bad[20:32] = 18
    hot = burning(bad, total, limit=0.06, window=15, level=0.0025)
    assert not hot[:20].any()
    assert hot[21:32].all()
    assert not hot[-15:].any()


def test_without_intervals_there_is_no_incident() -> None:
    assert not len(burning(np.array([]), np.array([]), limit=0.06, window=15, level=0.01))


def test_trailing_sums_reach_back_one_window() -> None:
    assert trailing(np.array([1.0, 2, 3, 4]), 2).tolist() == [1, 3, 5, 7]


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(5, 50), st.integers(0, 5), st.integers(5, 500)),
        min_size=1,
        max_size=12,
    )
)
def test_the_course_is_what_every_single_look_would_have_seen(
    counts: list[tuple[int, int, int, int]],
) -> None:
    """A fail that a late look derives from the course is one that a punctual look made."""
    whole = Strata(*np.array(counts, dtype=float).T)
    starts = [(0, 0.8), (4, 0.2)]
    seen = Process.of(whole, HARM).course(0.01, starts)
    looks = [
        compare(whole[:until], HARM, starts=starts).log_e(0.01)
        for until in range(1, len(counts) + 1)
    ]
    assert seen == pytest.approx(looks, abs=1e-9)
