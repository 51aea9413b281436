"""What a stage needs is read from many splits, however short the history is."""

from math import prod

import numpy as np
import pytest

from cli.replay.history import assemble
from cli.replay.proof import PROMOTED, seconds_to_pass, trials
from cli.replay.study import Findings, study
from tests.unit.cli.replay.conftest import MakeChunks, MakePlan

STAGES = "10:5m,30:10m,60:15m"


def findings(chunks: MakeChunks, hours: int) -> Findings:
    seen = chunks(hours, rate=45, bad=0.0006)
    return study(assemble(seen, 0, 15, ["availability"]), seen)


def test_the_time_read_from_half_a_day_is_enough_for_releases_that_it_was_not_read_from(
    plan: MakePlan, chunks: MakeChunks
) -> None:
    """The slowest of eleven splits, one for each hour, is enough for 80 % of them."""
    given, past = plan(stages=STAGES), findings(chunks, 11)

    def proven(stage: int) -> float:
        within = seconds_to_pass(trials(past, given, stage, seed=1), given, 15)
        others = [one for seed in range(2, 5) for one in trials(past, given, stage, seed)]
        return float(np.mean([seconds_to_pass([one], given, 15) <= within for one in others]))

    assert prod(proven(stage) for stage in range(3)) >= PROMOTED - 0.03


@pytest.mark.parametrize(("hours", "splits"), [(1, 100), (11, 110), (150, 150), (401, 134)])
def test_a_short_history_is_split_more_often_and_a_long_one_is_thinned(
    plan: MakePlan, chunks: MakeChunks, hours: int, splits: int
) -> None:
    found = trials(findings(chunks, hours), plan(stages=STAGES), 0, seed=1)
    assert len(found) == splits
    seen = {one.arms["availability"].canary_total.tobytes() for one in found}
    assert len(seen) == splits


def test_without_a_usable_hour_there_is_nothing_to_read(plan: MakePlan, chunks: MakeChunks) -> None:
    past = study(assemble(chunks(1, rate=0), 0, 15, ["availability"]), {})
    given = plan(stages=STAGES)
    assert trials(past, given, 0, seed=1) == []
    assert seconds_to_pass([], given, 15) == float("inf")
