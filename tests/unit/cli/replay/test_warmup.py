"""Only what past releases show, and only if it is no chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.replay.history import Chunk, Tally
from cli.replay.warmup import observe, surprise

PER_HOUR = 240


def day(releases: int, cold: int, extra: float = 0.02) -> dict[int, Chunk]:
    """Every third hour a version begins that fails `extra` more for `cold` intervals."""
    rng = np.random.default_rng(releases)
    found: dict[int, Chunk] = {}
    version = "v0"
    for hour in range(24):
        total = rng.poisson(1000, PER_HOUR).astype(float)
        bad = rng.binomial(1000, 0.002, PER_HOUR).astype(float)
        if hour % 3 == 2 and hour // 3 < releases:
            before, version = version, f"v{hour}"
            bad[100 : 100 + cold] += total[100 : 100 + cold] * extra
            old = np.arange(PER_HOUR) < 100
            versions = {
                before: Tally(bad * old, total * old),
                version: Tally(bad * ~old, total * ~old),
            }
        else:
            versions = {version: Tally(bad, total)}
        found[hour] = {"availability": versions}
    return found


@pytest.mark.parametrize("cold", [2, 4, 8])
def test_cold_pods_show_in_release_after_release(cold: int) -> None:
    found = observe(day(6, cold), "availability", 15, 1.0)
    assert found is not None
    assert found.releases == 6
    assert found.seconds == cold * 15
    assert found.young == pytest.approx(0.022, rel=0.1)
    assert found.settled == pytest.approx(0.002, rel=0.1)


def test_pods_that_are_warm_at_once_need_no_warm_up() -> None:
    found = observe(day(6, 0), "availability", 15, 1.0)
    assert found is not None
    assert found.seconds == 0


def test_two_releases_are_too_few() -> None:
    assert observe(day(2, 4), "availability", 15, 1.0) is None


def test_a_clump_is_no_warm_up() -> None:
    """Six releases with two more failures than usual: nothing, if failures come by the ten."""
    some = day(6, 2, extra=0.0025)
    sure = observe(some, "availability", 15, 1.0)
    unsure = observe(some, "availability", 15, 10.0)
    assert sure is not None
    assert unsure is not None
    assert (sure.seconds, unsure.seconds) == (30, 0)


def test_a_version_older_than_the_history_is_no_release() -> None:
    assert observe({0: day(0, 0)[0]}, "availability", 15, 1.0) is None


def test_without_versions_there_is_nothing_to_see() -> None:
    """Some metrics do not carry them."""
    nameless: dict[int, Chunk] = {
        hour: {"availability": {"": next(iter(chunk["availability"].values()))}}
        for hour, chunk in day(6, 4).items()
    }
    assert observe(nameless, "availability", 15, 1.0) is None


@given(st.floats(0, 1000), st.floats(0.1, 1000))
def test_surprise_grows_with_what_was_not_expected(count: float, expected: float) -> None:
    assert surprise(count, expected) >= 0
    assert surprise(count + 1, expected) >= surprise(count, expected)
