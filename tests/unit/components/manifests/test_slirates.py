"""How many events a second, and how many of them are bad. Contract tests evaluate the text."""

from datetime import timedelta
from decimal import Decimal

from components.manifests.slirates import Buckets, Counters, NativeHistograms

HOUR = timedelta(hours=1)


def test_a_counter_that_is_not_born_yet_counts_as_zero() -> None:
    events = Counters(("all_total", "more_total"), ("bad_total",))
    total = "sum(rate(all_total[1h]) or rate(more_total[1h]))"
    assert events.total(HOUR) == total
    assert events.bad(HOUR) == f"(sum(rate(bad_total[1h])) or 0 * {total})"


def test_good_events_are_taken_from_all() -> None:
    total = "sum(rate(all_total[1h]))"
    assert Counters(("all_total",), ("good_total",), part_is_good=True).bad(HOUR) == (
        f"clamp_min({total} - (sum(rate(good_total[1h])) or 0 * {total}), 0)"
    )


def test_a_histogram_without_the_bucket_is_not_counted() -> None:
    """Taken for 0, a bucket that an application does not have would make every request slow."""
    events = Buckets(('s_bucket{le="+Inf"}',), ('s_bucket{le="0.25"}',))
    every, within = 'rate(s_bucket{le="+Inf"}[1h])', 'rate(s_bucket{le="0.25"}[1h])'
    total = f"sum(({every}) and ignoring (le) ({within}))"
    assert events.total(HOUR) == total
    assert events.bad(HOUR) == f"clamp_min({total} - sum({within}), 0)"


def test_a_native_histogram_knows_its_fraction_within_the_bound() -> None:
    histogram = "sum(rate(s[1h]))"
    total = f"histogram_count({histogram})"
    assert NativeHistograms(("s",), Decimal("0.25")).total(HOUR) == total
    assert NativeHistograms(("s",), Decimal("0.25")).bad(HOUR) == (
        f"clamp_min({total} - ({total} * histogram_fraction(-Inf, 0.25, {histogram}) >= 0), 0)"
    )
