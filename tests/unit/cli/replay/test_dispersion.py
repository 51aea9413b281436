"""φ is what failures really do, at any traffic: 1 when independent, the size of the clumps else."""

import numpy as np
import pytest

from cli.replay.dispersion import Dispersion, clump_sizes, measure
from plugin.statistics.evidence import Array

STEP, PER_HOUR, HOURS = 15, 240, 48


def requests(rng: np.random.Generator) -> Array:
    """Day and night: 40 to 160 a second."""
    day = 1 + 0.6 * np.sin(2 * np.pi * np.arange(HOURS * PER_HOUR) / (24 * PER_HOUR))
    return rng.poisson(1500 * day).astype(float)


def clumped(rng: np.random.Generator, total: Array, size: int, ratio: float = 0.001) -> Array:
    return size * rng.poisson(total * ratio / size).astype(float)


@pytest.mark.parametrize("seconds", [0, 60, 300])
@pytest.mark.parametrize("size", [1, 2, 5, 10])
def test_it_is_the_size_of_the_clumps_at_every_window(size: int, seconds: int) -> None:
    rng = np.random.default_rng(size)
    total = requests(rng)
    found = measure(clumped(rng, total, size), total, STEP, PER_HOUR, seconds).quantile(0.5)
    assert found == pytest.approx(size, rel=0.15)


def test_random_clumps_weigh_by_their_failures() -> None:
    """Geometric with mean 5: E[size²]/E[size] = 9, which is what makes the evidence valid."""
    rng = np.random.default_rng(1)
    total = requests(rng)
    bad = [rng.geometric(0.2, clumps).sum() for clumps in rng.poisson(total * 0.001 / 5)]
    found = measure(np.array(bad, float), total, STEP, PER_HOUR, 60).quantile(0.5)
    assert found == pytest.approx(9, rel=0.15)


def test_a_failure_rate_that_wanders_is_no_clump() -> None:
    rng = np.random.default_rng(2)
    total = requests(rng)
    ratio = 0.001 * np.exp(2 * np.sin(np.arange(len(total)) / 200))
    bad = rng.binomial(total.astype(int), ratio).astype(float)
    assert measure(bad, total, STEP, PER_HOUR, 60).quantile(0.75) == pytest.approx(1.1, abs=0.15)


def test_one_incident_does_not_change_what_is_typical() -> None:
    rng = np.random.default_rng(3)
    total = requests(rng)
    bad = rng.binomial(total.astype(int), 0.001).astype(float)
    bad[1000:1040] = total[1000:1040] * 0.5
    found = measure(bad, total, STEP, PER_HOUR, 0)
    assert found.quantile(0.75) == pytest.approx(1.0, abs=0.2)
    assert clump_sizes(found, len(total), PER_HOUR).max() < 2


def test_few_failures_say_nothing() -> None:
    total = np.full(PER_HOUR * HOURS, 10.0)
    bad = np.zeros(len(total))
    bad[::400] = 1
    found = measure(bad, total, STEP, PER_HOUR, 0)
    assert found.quantile(0.5) is None
    assert clump_sizes(found, len(total), PER_HOUR).tolist() == [1.0] * len(total)


def test_hours_without_enough_failures_are_joined() -> None:
    rng = np.random.default_rng(4)
    total = np.full(PER_HOUR * HOURS, 100.0)
    found = measure(clumped(rng, total, 1), total, STEP, PER_HOUR, 0)
    assert 0 < len(found.blocks) < HOURS
    assert all(end > begin for begin, end, _ in found.blocks)


def test_an_hour_is_split_by_its_own_clumps() -> None:
    found = Dispersion(15, 500, ((0, 1, 1.2), (1, 2, 4.0), (2, 3, 0.7)))
    sizes = clump_sizes(found, 4 * PER_HOUR, PER_HOUR)
    assert sizes[0] == 1.2
    assert sizes[PER_HOUR] == pytest.approx(found.quantile(0.9))  # not more than nine in ten have
    assert sizes[2 * PER_HOUR] == 1.0
    assert sizes[3 * PER_HOUR] == 1.2  # the median where nothing was measured


def test_an_interval_without_requests_divides_by_nothing() -> None:
    total = np.full(PER_HOUR * 2, 1000.0)
    total[10:20] = 0
    bad = total * 0.01
    assert measure(bad, total, STEP, PER_HOUR, 60).quantile(0.5) == pytest.approx(0.0, abs=0.1)
