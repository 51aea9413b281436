"""The benchmark must report what the judge decides, and nothing else."""

import numpy as np
import pytest

from benchmarks.verdicts import sluice
from benchmarks.verdicts.scenarios import Ending, Outcome, Release, Row, rows
from benchmarks.verdicts.simulate import Chunk, run

RELEASES = 4


def look_by_look(release: Release) -> Outcome:
    """The real judge asked after every single interval."""
    for look in range(release.begins, len(release)):
        ending = sluice.ask(release[release.begins : look + 1])
        if ending is not Ending.HELD:
            return Outcome(ending, look + 1)
    return Outcome(Ending.HELD, len(release))


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.name)
@pytest.mark.parametrize("version", range(3))
def test_no_look_is_passed_over_at_which_the_judge_decides(row: Row, version: int) -> None:
    random = np.random.default_rng(version)
    for _ in range(RELEASES):
        release = row.release(row.versions[version], random)
        assert sluice.outcome(release) == look_by_look(release)


def test_results_do_not_depend_on_who_computes_them() -> None:
    chunk = Chunk(row=0, version=1, number=3, releases=5, seed=1)
    once, again = run(chunk), run(chunk)
    for judge, results in once.items():
        assert results.caught.tolist() == again[judge].caught.tolist()
    other = run(Chunk(row=0, version=1, number=4, releases=5, seed=1))
    assert other["Sluice"].failed.tolist() != once["Sluice"].failed.tolist()
