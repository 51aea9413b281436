"""The past is put together as it was, and what is wrong with it is said."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cli.replay.errors import ReplayError
from cli.replay.history import Chunk, History, Tally, assemble, check
from plugin.counts.jumps import jumps
from plugin.statistics.evidence import Strata

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


def of(**totals: NDArray[np.float64]) -> History:
    """The past with these totals per interval, by objective; they are whole hours."""
    hours = len(next(iter(totals.values()))) // PER_HOUR
    by_hour = {name: np.split(total, hours) for name, total in totals.items()}
    chunks = {
        number: {
            name: {"": Tally(each[number] * 0, each[number])} for name, each in by_hour.items()
        }
        for number in range(hours)
    }
    return assemble(chunks, 0, STEP, list(totals))


def level(hours: int, usual: float, *others: tuple[int, int, float]) -> NDArray[np.float64]:
    """`usual` per interval, and something else from an interval on, for so many."""
    total = np.full(hours * PER_HOUR, usual)
    for first, length, value in others:
        total[first : first + length] = value
    return total


def test_a_counter_that_was_away_is_no_traffic_for_any_objective() -> None:
    jumped = level(2, 100, (5, 1, 50_000))
    found = of(availability=jumped, latency=level(2, 100), payments=level(2, 10))
    for tally in found.tallies.values():
        assert np.flatnonzero(tally.total == 0).tolist() == [5]
    assert found.dropped == {"availability": 1, "latency": 1, "payments": 1}


def test_a_level_that_stays_is_traffic_as_to_the_judge() -> None:
    busy = level(2, 100, (200, 80, 1200))
    assert not any(of(availability=busy).dropped.values())
    assert of(availability=busy).traffic.tolist() == busy.tolist()


@pytest.mark.parametrize(("intervals", "dropped"), [(4, 4), (5, 0)])
def test_a_full_hour_does_not_cut_a_level_in_two(intervals: int, dropped: int) -> None:
    found = of(availability=level(3, 100, (PER_HOUR - 2, intervals, 1200)))
    assert found.dropped == {"availability": dropped}


def test_two_hours_lose_what_the_judge_would_leave_out() -> None:
    """Whatever the traffic is like: here it wanders over two orders of magnitude."""
    choices = np.random.default_rng(3).choice(
        [0.0, 20.0, 100.0, 1500.0], 120, p=[0.1, 0.6, 0.2, 0.1]
    )
    # The last half hour is empty, so the first hour is seen with all the rest.
    total = np.append(choices.repeat(3), np.zeros(PER_HOUR // 2))
    none = np.zeros(len(total))
    left_out = jumps(Strata(none, none, none, total), STEP)[:PER_HOUR]
    assert left_out.any()
    assert (
        of(availability=total).traffic[:PER_HOUR].tolist()
        == np.where(left_out, 0, total[:PER_HOUR]).tolist()
    )


def test_what_is_usual_is_so_at_that_time_of_day() -> None:
    """The nights are quieter than the days."""
    day = np.tile([100.0, 300.0], PER_HOUR)
    found = of(availability=np.concatenate([level(10, 20), day, level(10, 20)]))
    assert found.dropped == {"availability": 0}


def test_a_service_that_returns_with_its_counters_past_is_no_traffic() -> None:
    """It is less than ten times the usual."""
    found = of(availability=level(2, 100, (100, 40, 0), (140, 1, 500)))
    assert found.dropped == {"availability": 1}
    assert found.traffic[140] == 0


def test_events_are_held_against_events_and_not_against_requests() -> None:
    found = of(availability=level(3, 100), payments=level(3, 1500))
    assert not any(found.dropped.values())
    check(found, "shop/checkout", {})


def test_a_jump_of_events_is_left_out_for_these_alone() -> None:
    jumped = level(3, 15, (300, 1, 5_000))
    found = of(availability=level(3, 100), payments=jumped, refunds=level(3, 20))
    assert found.dropped == {"availability": 0, "payments": 1, "refunds": 0}
    assert found.tallies["payments"].total[300] == 0
    assert found.tallies["refunds"].total.min() == 20
    assert found.traffic.min() == 100


def test_an_objective_that_only_ever_jumps_is_not_called_missing() -> None:
    batches = level(2, 0, *((at, 1, 5_000) for at in range(20, 480, 60)))
    with pytest.raises(ReplayError, match="counted for payments comes in jumps"):
        check(of(availability=level(2, 100), payments=batches), "shop/checkout", {})


@pytest.mark.parametrize("hours", [range(4), range(2), range(1)])
def test_where_most_comes_in_bursts_in_most_hours_the_judge_would_hold(hours: range) -> None:
    """As the judge would in the hours before and after, too."""
    batches = [(hour * PER_HOUR + at, 2, 3000) for hour in hours for at in range(20, 240, 40)]
    found = of(availability=level(4, 100), payments=level(4, 10, *batches))
    if len(hours) == 1:
        check(found, "shop/checkout", {})
        return
    with pytest.raises(ReplayError, match="most of what was counted for payments comes in jumps"):
        check(found, "shop/checkout", {})


def test_a_service_that_was_never_seen_is_an_error() -> None:
    with pytest.raises(ReplayError, match="no request to shop/checkout"):
        check(past({"availability": {}}, {"availability": {}}), "shop/checkout", {})


def test_an_objective_that_is_not_counted_is_an_error() -> None:
    chunks = {0: {**hour(), "latency": {}}}
    with pytest.raises(ReplayError, match="nothing was counted for latency"):
        check(assemble(chunks, 0, STEP, ["availability", "latency"]), "shop/checkout", {})


def test_a_bucket_that_is_not_there_makes_all_requests_slow_and_is_an_error() -> None:
    chunks = {0: {**hour(), "latency": hour(requests=100, bad=100)["availability"]}}
    with pytest.raises(ReplayError, match="a bucket of the histogram"):
        check(assemble(chunks, 0, STEP, ["availability", "latency"]), "shop/checkout", {})


def test_a_scrape_interval_that_is_too_short_is_recognised() -> None:
    """Every other interval is empty if Prometheus scrapes half as often."""
    halved = hour()
    halved["availability"]["1.0"].total[::2] = 0
    with pytest.raises(ReplayError, match="--scrape-interval"):
        check(past(halved, halved), "shop/checkout", {})


def test_a_sound_past_is_no_error() -> None:
    check(past(hour(), None, hour(requests=0, bad=0)), "shop/checkout", {})


def test_what_the_counts_lacked_is_said_only_where_nothing_else_was_counted() -> None:
    """An hour without the bucket, before somebody added it, is an hour without counts."""
    lacking = {"latency": "no bucket"}
    chunks = {0: {**hour(), "latency": {}}, 1: {**hour(), "latency": hour()["availability"]}}
    check(assemble(chunks, 0, STEP, ["availability", "latency"]), "shop/checkout", lacking)
    with pytest.raises(ReplayError, match="no bucket"):
        check(assemble({0: {"latency": {}}}, 0, STEP, ["latency"]), "shop/checkout", lacking)


def test_latency_alone_counts_traffic_too_but_events_of_another_kind_do_not() -> None:
    found = of(payments=level(2, 1000), latency=level(2, 10))
    assert found.typical == 10
    assert found.hours == 2
