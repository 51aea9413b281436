"""Clumps are what fails within an interval or a minute, however often Prometheus scrapes."""

import numpy as np
import pytest

from cli.replay.history import HOUR, Tally, assemble
from cli.replay.recommend import burst
from cli.replay.study import Findings, study


def swinging(step: int, swing: float) -> Findings:
    """Two days whose failures come alone; their rate goes up and down by that part, in 20 min."""
    rng, hours, per_hour = np.random.default_rng(5), 48, HOUR // step
    total = np.full(per_hour, 100.0 * step)
    turns = np.arange(per_hour) * step / 1200
    bad = 0.01 * total * (1 + swing * np.sin(2 * np.pi * turns))
    chunks = {
        hour: {"availability": {"1.0": Tally(rng.poisson(bad).astype(float), total)}}
        for hour in range(hours)
    }
    return study(assemble(chunks, 0, step, ["availability"]), chunks)


@pytest.mark.parametrize(
    ("step", "seconds"),
    [
        (2, [2, 60]),
        (15, [15, 60]),
        (40, [40, 80]),
        (60, [60]),
        (120, [120]),
        (300, [300]),
    ],
)
def test_clumps_are_those_of_an_interval_and_a_minute(step: int, seconds: list[int]) -> None:
    assert [one.seconds for one in swinging(step, 0).clumps["availability"]] == seconds


@pytest.mark.parametrize("step", [15, 60])
def test_a_failure_rate_that_changes_over_minutes_is_no_clump(step: int) -> None:
    found = swinging(step, 0.2)
    assert burst(found.clumps) == 1
    # Five minutes would say otherwise.
    assert (burst(found.dispersions) or 0) > 2
