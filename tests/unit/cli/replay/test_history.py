"""The past is put together as it was, and what is wrong with it is said."""

import numpy as np
import pytest

from cli.replay.errors import ReplayError
from cli.replay.history import Chunk, History, Tally, assemble, check

STEP, PER_HOUR = 15, 240


def hour(requests: float = 100, bad: float = 1, **versions: float) -> Chunk:
    """The counts of one hour; `versions` share the requests by these fractions."""
    shares = versions or {"1.0": 1.0}
    return {
        "availability": {
            version: Tally(np.full(PER_HOUR, bad * share), np.full(PER_HOUR, requests * share))
            for version, share in shares.items()
        }
    }


def past(*chunks: Chunk | None) -> History:
    return assemble(dict(enumerate(chunks)), 0, STEP, ["availability"])


def test_versions_add_up() -> None:
    found = past(hour(a=0.25, b=0.75))
    assert found.tallies["availability"].total.tolist() == [100.0] * PER_HOUR
    assert found.typical == 100


def test_an_hour_that_was_not_read_is_known_and_not_used() -> None:
    found = past(hour(), None, hour())
    assert found.unread == {1}
    assert found.usable.tolist() == [0, 2]


def test_hours_still_to_be_read_are_none_of_it() -> None:
    """The newest hours are read first; whoever interrupts keeps those."""
    found = assemble({5: hour(), 3: hour()}, 1000, STEP, ["availability"])
    assert (found.start, found.hours) == (1000 + 3 * 3600, 3)
    assert found.usable.tolist() == [0, 2]


def test_gaps_are_told_from_quiet_moments() -> None:
    busy, quiet = hour(), hour(requests=1, bad=0)
    for chunk in (busy, quiet):
        chunk["availability"]["1.0"].total[100:110] = 0
    assert past(busy).gaps.sum() == 10
    assert past(quiet).gaps.sum() == 0


def test_an_hour_that_is_mostly_missing_is_not_used() -> None:
    torn = hour()
    torn["availability"]["1.0"].total[: PER_HOUR // 2 + 1] = 0
    assert past(hour(), torn).usable.tolist() == [0]


def test_a_counter_that_was_away_is_no_traffic() -> None:
    jumped = hour()
    jumped["availability"]["1.0"].total[5] = 50_000
    found = past(jumped)
    assert found.dropped == 1
    assert found.traffic[5] == 0


def test_a_service_that_was_never_seen_is_an_error() -> None:
    with pytest.raises(ReplayError, match="no request to shop/checkout"):
        check(past({"availability": {}}, {"availability": {}}), "shop/checkout")


def test_an_objective_that_is_not_counted_is_an_error() -> None:
    chunks = {0: {**hour(), "latency": {}}}
    with pytest.raises(ReplayError, match="nothing was counted for latency"):
        check(assemble(chunks, 0, STEP, ["availability", "latency"]), "shop/checkout")


def test_a_bucket_that_is_not_there_makes_all_requests_slow_and_is_an_error() -> None:
    chunks = {0: {**hour(), "latency": hour(requests=100, bad=100)["availability"]}}
    with pytest.raises(ReplayError, match="a bucket of the histogram"):
        check(assemble(chunks, 0, STEP, ["availability", "latency"]), "shop/checkout")


def test_a_scrape_interval_that_is_too_short_is_recognised() -> None:
    """Every other interval is empty if Prometheus scrapes half as often."""
    halved = hour()
    halved["availability"]["1.0"].total[::2] = 0
    with pytest.raises(ReplayError, match="--scrape-interval"):
        check(past(halved, halved), "shop/checkout")


def test_a_sound_past_is_no_error() -> None:
    check(past(hour(), None, hour(requests=0, bad=0)), "shop/checkout")


def test_latency_alone_counts_traffic_too_but_events_of_another_kind_do_not() -> None:
    counted = Tally(np.zeros(PER_HOUR), np.full(PER_HOUR, 10.0))
    batches = Tally(np.zeros(PER_HOUR), np.full(PER_HOUR, 1000.0))
    found = History(0, STEP, {"payments": batches, "latency": counted})
    assert found.typical == 10
