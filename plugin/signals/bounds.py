"""Is the canary beyond a bound, and it alone, for long enough? Pure."""

from datetime import timedelta
from math import ceil

import numpy as np
from numpy.typing import NDArray

from plugin.signals.signal import Signal
from plugin.slo import CPU, MEMORY, Bound
from plugin.slo.units import format_duration
from plugin.statistics.evidence import Array
from plugin.verdict.reasons import Reason

_INCOMPLETE = (
    "held, as it looks back to before the release, or not all of its series were scraped "
    "throughout in both arms, or some have just come or gone; it fails once that is over (sum "
    "away labels whose values come and go)"
)
_RECENT_SECONDS = 30
"""A value that is older, and by more than two intervals, is none of now."""


def within_bounds(
    bound: Bound,
    canary: Array,
    stable: Array,
    step: int,
    since: int | None,
    *,
    known: NDArray[np.bool_] | None = None,
    comparable: NDArray[np.bool_] | None = None,
    throughout: tuple[Array, Array] | None = None,
    failing: int = 0,
) -> Signal:
    """What follows from one value per arm and interval (NaN where it was not seen).

    `since` is the release's first interval; without it only the newest values count. A release
    fails once the canary was beyond the bound for long enough while stable was not: what both are
    beyond at once is a shared incident. Once it has failed it stays so, whoever asks later. A value
    that was not seen is beyond nothing, and does not pass.

    A value that is not `known` to be the canary's own, or stands beside one of stable's that is not
    `comparable` (`plugin.signals.scraped`), fails nothing; and while `failing` targets of the
    canary cannot be scraped nothing passes. `throughout` are the values that each arm had all the
    time since the interval before (`plugin.signals.ask`).
    """
    needed = ceil(bound.lasting / timedelta(seconds=step)) + 1
    first = max(0, len(canary) - needed) if since is None else since
    everywhere = np.ones(len(canary), dtype=bool)
    known = (everywhere if known is None else known)[first:]
    comparable = (everywhere if comparable is None else comparable)[first:]
    # Where intervals are longer than scrapes, these have what was in between.
    ours, theirs = throughout or (canary, stable)
    # A stable that is measured, but not now, may be beyond it as well.
    unknown = (np.isnan(theirs) & ~np.isnan(stable).all())[first:]
    long = (_beyond(bound, ours) & ~_beyond(bound, theirs))[first:]
    alone = _runs(long & known & comparable & ~unknown)
    canary, stable = canary[first:], stable[first:]
    beyond, shared = _beyond(bound, canary), _beyond(bound, stable)
    newest = _newest(canary, step), _newest(stable, step)
    at, beside = newest
    reason, why = None, ""
    if len(alone) and alone.max() >= needed:
        failed = int(np.argmax(alone >= needed))
        compared = _compared(bound, canary[failed], stable[failed])
        reason, why = Reason.LIMIT_EXCEEDED, f"{compared} for {format_duration(bound.lasting)}"
    elif at is None:
        reason, why = Reason.NO_DATA, _unseen(bound)
    elif beyond[at]:
        compared = _compared(bound, canary[at], np.nan if beside is None else stable[beside])
        if beside is not None and shared[beside]:
            reason, why = Reason.COMMON_MODE, f"stable is beyond it too: {compared}: waiting"
        else:
            reason, why = Reason.GATHERING, f"{compared} just now: "
            if known[at] and comparable[at]:
                why += _will_fail(bound)
            else:
                why += _unscraped(bound, failing) if failing else _INCOMPLETE
    elif failing:
        reason, why = Reason.NO_DATA, _unscraped(bound, failing)
    limit = bound.most if bound.most is not None else bound.least
    values = [
        None if index is None else float(arm[index])
        for arm, index in zip((canary, stable), newest, strict=True)
    ]
    return Signal(bound.name, reason, why, *values, bound=limit)


def _beyond(bound: Bound, values: Array) -> NDArray[np.bool_]:
    """NaN is beyond nothing."""
    if bound.most is not None:
        return values > bound.most
    return values < (bound.least if bound.least is not None else -np.inf)


def _runs(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Per interval: how many of these in a row it ends."""
    at = np.arange(1, len(flags) + 1)
    return at - np.maximum.accumulate(np.where(flags, 0, at)) if len(flags) else at


def _newest(values: Array, step: int) -> int | None:
    """The interval of the newest value, if it is one of now."""
    seen = np.flatnonzero(~np.isnan(values))
    recent = len(seen) and seen[-1] >= len(values) - max(3, ceil(_RECENT_SECONDS / step))
    return int(seen[-1]) if recent else None


def _will_fail(bound: Bound) -> str:
    lasting = format_duration(bound.lasting)
    return f"it fails the release after {lasting} in which it is seen throughout"


def _unscraped(bound: Bound, failing: int) -> str:
    targets = "1 target" if failing == 1 else f"{failing} targets"
    return (
        f"{targets} of the canary's that {bound.name} is measured on cannot be scraped (up is 0): "
        "held until they can be"
    )


def _compared(bound: Bound, canary: float, stable: float) -> str:
    limit, side = (bound.most, "above") if bound.most is not None else (bound.least, "below")
    what = {
        CPU: "the canary's throttled share of its CPU periods",
        MEMORY: "the canary's memory, of its limit,",
    }.get(bound.name, f"the canary's {bound.name}")
    beside = "" if np.isnan(stable) else f" (stable: {_written(bound, stable)})"
    allowed = _written(bound, limit if limit is not None else np.nan)
    return f"{what} is {_written(bound, canary)}{beside}, {side} the bound {allowed}"


def _written(bound: Bound, value: float) -> str:
    return f"{value:.4g}" if bound.value is not None else f"{value * 100:.3g} %"


def _unseen(bound: Bound) -> str:
    if bound.value is None:
        return (
            f"{bound.name} of the canary's pods is not known: Prometheus has to scrape cAdvisor, "
            "and kube-state-metrics has to show the pods' labels and their containers' limits"
        )
    return (
        f"{bound.name} has no value for the canary: are its metrics scraped, with the labels that "
        "tell the arms apart?"
    )
