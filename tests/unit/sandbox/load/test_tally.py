"""Counts of what callers saw are cumulative and complete."""

from sandbox.load.tally import Tally


def test_answers_and_errors_are_counted_by_kind():
    tally = Tally(rate=50)
    for status in (200, 200, 500):
        tally.answered(status, 0.01)
    tally.failed("connect")
    tally.dropped()
    summary = tally.summary()
    assert summary["statuses"] == {"200": 2, "500": 1}
    assert summary["errors"] == {"connect": 1}
    assert (summary["total"], summary["dropped"], summary["rate"]) == (4, 1, 50)


def test_percentiles_are_the_nearest_rank_in_milliseconds():
    tally = Tally(rate=1)
    for milliseconds in range(1, 101):
        tally.answered(200, milliseconds / 1000)
    assert tally.summary()["latency_ms"] == {"p50": 50, "p95": 95, "p99": 99}


def test_without_an_answer_there_is_no_latency():
    assert Tally(rate=1).summary()["latency_ms"] == {"p50": None, "p95": None, "p99": None}


def test_latencies_are_those_of_the_latest_answers():
    tally = Tally(rate=1)
    for _ in range(2000):
        tally.answered(200, 1.0)
    for _ in range(2000):
        tally.answered(200, 0.005)
    assert tally.summary()["latency_ms"]["p99"] == 5
    assert tally.summary()["total"] == 4000
