"""Counts of one arm fold into (bad, total), whatever the scrapes have caught."""

from collections.abc import Mapping

import numpy as np
import pytest

from plugin.indicators import Counted, folds
from plugin.indicators.indicator import Fold
from plugin.statistics.evidence import Array


def counts(key: str, of: Mapping[tuple[str, ...], float]) -> Counted:
    return {key: {values: np.array([float(count)]) for values, count in of.items()}}


def folded(result: tuple[Array, Array]) -> tuple[float, float]:
    bad, total = result
    return bad[0], total[0]


def test_server_errors_are_bad_whichever_label_tells_them() -> None:
    """Applications call the status code, status or status_code; some count per class."""
    by_status = counts(
        "", {("200", "", ""): 5, ("", "503", ""): 2, ("", "", "5xx"): 1, ("", "404", ""): 1}
    )
    assert folded(folds.server_errors_of_all(3)(by_status, 1)) == (3, 9)


def test_a_grpc_request_fails_by_its_own_status_and_once() -> None:
    by_status = {
        ("200", ""): 4,
        ("200", "0"): 3,
        ("200", "14"): 2,
        ("503", "14"): 1,
        ("200", "5"): 1,
    }
    found = folds.server_errors_of_all(1)(counts("", by_status), 1)
    assert folded(found) == (3, 11)


def test_grpcs_status_is_none_of_http() -> None:
    by_status = counts("", {("", "5"): 10, ("200", "0"): 10})
    assert folded(folds.server_errors_of_all(1)(by_status, 1)) == (0, 10)
    assert not folds.tells_status(1, 0.01)(by_status)


@pytest.mark.parametrize("status", ["", "UNKNOWN", "error"])
def test_a_request_without_a_status_is_neither_good_nor_bad(status: str) -> None:
    by_status = counts("", {("200",): 98, ("500",): 1, (status,): 1})
    assert folded(folds.server_errors_of_all(1)(by_status, 1)) == (1, 99)


@pytest.mark.parametrize(("without", "tells"), [(1, True), (2, False), (100, False)])
def test_what_may_have_failed_beyond_the_budget_must_be_known(without: int, tells: bool) -> None:
    by_status = counts("", {("200",): 100 - without, ("",): without})
    assert folds.tells_status(1, 0.01)(by_status) is tells


@pytest.mark.parametrize("within", [6, 12])
def test_no_more_requests_are_slow_than_there_are(within: int) -> None:
    """A scrape may catch a bucket after the request that it misses in the total."""
    by_bound = counts("", {("+Inf",): 10, ("0.25",): within})
    assert folded(folds.above_the_bucket_of_all(by_bound, 1)) == (max(0, 10 - within), 10)


def test_a_native_histogram_folds_alike() -> None:
    sources = {**counts("count", {(): 10}), **counts("within", {(): 6})}
    assert folded(folds.above_the_bound_of_all(sources, 1)) == (4, 10)


def test_good_or_bad_events_mean_the_same() -> None:
    bad = {**counts("bad", {(): 3}), **counts("total", {(): 10})}
    good = {**counts("good", {(): 7}), **counts("total", {(): 10})}
    assert folded(folds.bad_of_all(bad, 1)) == folded(folds.all_but_good(good, 1)) == (3, 10)


@pytest.mark.parametrize("fold", [folds.server_errors_of_all(1), folds.all_but_good])
def test_without_counts_there_is_nothing(fold: Fold) -> None:
    assert folded(fold({}, 1)) == (0, 0)
