"""How the counts of one arm fold into (bad, total). Pure."""

from collections.abc import Iterable, Mapping

import numpy as np

from plugin.indicators.indicator import Counted, Fold, Present, Values
from plugin.indicators.presets import GRPC_SERVER_ERRORS
from plugin.statistics.evidence import Array


def server_errors_of_all(statuses: int) -> Fold:
    """By status: 5xx of all that have one. Some clients count per status class, as "5xx".

    The first `statuses` labels tell that of HTTP. One behind them tells gRPC's: its server errors
    are bad as well, and each request counts once.
    """

    def fold(counts: Counted, intervals: int) -> tuple[Array, Array]:
        by_status = counts.get("", {}).items()
        split = ((_status(one[:statuses]), one[statuses:], count) for one, count in by_status)
        known = [each for each in split if _is_status(each[0])]
        errors = (
            count
            for http, grpc, count in known
            if http.startswith("5") or (grpc and grpc[0] in GRPC_SERVER_ERRORS)
        )
        return _sum(errors, intervals), _sum((count for _, _, count in known), intervals)

    return fold


def above_the_bucket_of_all(counts: Counted, intervals: int) -> tuple[Array, Array]:
    """By bound: requests slower than the one asked for, of all.

    A scrape may see the two buckets unequally: never below 0.
    """
    by_bound = counts.get("", {})
    total = _sum((count for (bound,), count in by_bound.items() if bound == "+Inf"), intervals)
    within = _sum((count for (bound,), count in by_bound.items() if bound != "+Inf"), intervals)
    return np.clip(total - within, 0, None), total


def above_the_bound_of_all(counts: Counted, intervals: int) -> tuple[Array, Array]:
    """Of a native histogram: its count, less what it counts up to the bound."""
    total, within = _all(counts, "count", intervals), _all(counts, "within", intervals)
    return np.clip(total - within, 0, None), total


def bad_of_all(counts: Counted, intervals: int) -> tuple[Array, Array]:
    return _all(counts, "bad", intervals), _all(counts, "total", intervals)


def all_but_good(counts: Counted, intervals: int) -> tuple[Array, Array]:
    total = _all(counts, "total", intervals)
    return np.clip(total - _all(counts, "good", intervals), 0, None), total


def tells_status(statuses: int, most: float) -> Present:
    """Whether no more than this fraction of the requests is without a status.

    The first `statuses` labels tell it. All of those may have failed: a client that meets an
    exception often counts without one.
    """

    def tells(counts: Counted) -> bool:
        by_status = counts.get("", {})
        unknown = [
            count
            for values, count in by_status.items()
            if not _is_status(_status(values[:statuses]))
        ]
        return not unknown or bool(np.sum(unknown) <= most * np.sum([*by_status.values()]))

    return tells


def has_bucket(counts: Counted) -> bool:
    return any(bound != "+Inf" for (bound,) in counts.get("", {}))


def has_bound(counts: Counted) -> bool:
    return bool(counts.get("within"))


def has_good(counts: Counted) -> bool:
    return bool(counts.get("good"))


def _status(values: Values) -> str:
    return next((value for value in values if value), "")


def _is_status(value: str) -> bool:
    return value[:1].isdigit()


def _all(counts: Mapping[str, Mapping[Values, Array]], key: str, intervals: int) -> Array:
    return _sum(counts.get(key, {}).values(), intervals)


def _sum(counts: Iterable[Array], intervals: int) -> Array:
    return sum(counts, np.zeros(intervals))
