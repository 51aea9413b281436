"""Scenarios must be what the tables call them."""

from dataclasses import replace
from math import inf, log

import numpy as np
import pytest

from benchmarks.verdicts.scenarios import INTERVALS, Row, rows
from benchmarks.verdicts.simulate import chunks, oracle
from benchmarks.verdicts.sluice import OBJECTIVE, SERVICE
from plugin.statistics.limits import Limits

STEADY = Row("steady", "")
BY_NAME = {row.name: row for row in rows()}


def test_the_oracle_of_the_steady_row_is_the_published_formula() -> None:
    """ln(1/level) / g*, at 0.0980 nats per second."""
    level = Limits.of(OBJECTIVE, SERVICE, STEADY.policy).fail_level
    assert oracle(STEADY, 0.009) == pytest.approx(-log(level) / 0.0980, rel=0.01)


def test_an_oracle_cannot_catch_what_is_no_worse() -> None:
    assert oracle(STEADY, 0.0) == inf


def test_the_oracle_waits_for_the_warm_up() -> None:
    cold, warm = BY_NAME["cold start, no warm-up"], BY_NAME["cold start, warm-up"]
    assert oracle(warm, 0.009) == pytest.approx(120 + oracle(STEADY, 0.009), abs=1)
    assert oracle(cold, 0.009) < oracle(STEADY, 0.009)


def test_clumps_keep_the_ratio_and_have_the_dispersion_they_are_named_for() -> None:
    row = replace(STEADY, clump=5.0)
    random = np.random.default_rng(3)
    bad = np.concatenate([row.release(0.0, random).strata.stable_bad for _ in range(100)])
    assert bad.mean() == pytest.approx(0.001 * 1350, rel=0.05)
    assert bad.var() / bad.mean() == pytest.approx(row.dispersion, rel=0.1)


def test_a_day_of_history_finds_the_dispersion() -> None:
    row = BY_NAME["bursts, tempered"]
    release = row.release(0.0, np.random.default_rng(4))
    assert release.policy.burst == pytest.approx(row.dispersion, rel=0.35)


def test_a_shock_hits_both_arms() -> None:
    canary, stable = BY_NAME["common incident"].ratios(0.0)
    assert (canary == stable).all()
    assert (stable > 0.05).sum() == 40


def test_every_stage_has_its_part_of_the_hour() -> None:
    row = BY_NAME["ramping weight"]
    assert len(row.weight) == INTERVALS
    assert np.unique(row.weight, return_counts=True)[1].tolist() == [60, 60, 60, 60]


def test_all_releases_are_simulated_once() -> None:
    work = list(chunks(120, seed=1))
    assert sum(chunk.releases for chunk in work) == 120 * 3 * len(BY_NAME)
    assert len(set(work)) == len(work)
