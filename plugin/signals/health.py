"""OOM kills, crash loops and restarts of the canary's containers. Pure.

They fail a release at once, whatever its traffic. Where kube-state-metrics is not scraped nothing
is known, and that is no fault. What stable suffers at the same time is an incident: it holds the
release while it is on, and is not held against it afterwards, though the canary's containers show
it for as long as they live.
"""

from collections.abc import Iterable
from datetime import timedelta
from math import ceil

import numpy as np
from numpy.typing import NDArray

from plugin.counts.answer import Answer
from plugin.signals.ask import CRASH, KILLS, OOM, PODS, RESTARTED, RESTARTS
from plugin.signals.signal import Signal
from plugin.statistics.evidence import Array
from plugin.verdict.reasons import Reason

_NEAR = timedelta(minutes=10)
"""What befalls both arms within this time has one cause."""


def health(answer: Answer, tolerated: int, since: int | None) -> list[Signal]:
    """One signal per way in which containers die. `tolerated` is the number of restarts, and
    `since` the release's first interval; without one, all that is known of stable counts.
    """
    # Only restarts are told when there are none: they show that somebody looked.
    if np.isnan(answer.value(f"canary {RESTARTS}")).all():
        unknown = ((Reason.OOM_KILLED, 0), (Reason.CRASH_LOOP, 0), (Reason.RESTARTS, tolerated))
        return [Signal(reason.value, bound=bound) for reason, bound in unknown]
    near = ceil(_NEAR / timedelta(seconds=answer.query.step))
    return [
        _out_of_memory(answer, near),
        _crash_loop(answer),
        _restarts(answer, tolerated, near, max(0, (since or 0) - near)),
    ]


def attempt_pods(answer: Answer) -> tuple[Array, Array]:
    """How many pods the canary and stable have per interval; NaN where none is known."""
    return answer.value(f"canary {PODS}"), answer.value(f"stable {PODS}")


def _out_of_memory(answer: Answer, near: int) -> Signal:
    """One kill that no kill of stable's is near to is enough."""
    killed, last = _newest(answer, f"canary {OOM}"), answer.query.intervals - 1
    ours, theirs = (answer.counts[f"{arm} {KILLS}"] for arm in ("canary", "stable"))
    shared = _times(theirs.values())
    alone = any((np.abs(shared - time) > near).all() for time in _times(ours.values()))
    return _signal(
        Reason.OOM_KILLED,
        "killed for want of memory",
        killed,
        len(theirs),
        alone=killed > 0 and alone,
        shared=killed > 0 and bool((shared >= last - near).any()),
    )


def _crash_loop(answer: Answer) -> Signal:
    canary, stable = (_newest(answer, f"{arm} {CRASH}") for arm in ("canary", "stable"))
    alone, shared = canary > 0 and stable == 0, canary > 0 and stable > 0
    return _signal(Reason.CRASH_LOOP, "in a crash loop", canary, stable, alone=alone, shared=shared)


def _restarts(answer: Answer, tolerated: int, near: int, first: int) -> Signal:
    """More than are tolerated, and than stable's have had since then."""
    ours, theirs = (answer.counts[f"{arm} {RESTARTED}"] for arm in ("canary", "stable"))
    # What is older is not known of stable either; and after a gap all is counted once more.
    canary = min(_newest(answer, f"canary {RESTARTS}"), _most(ours.values()))
    stable = _most(row[first:] for row in theirs.values())
    recent = _most(row[-near:] for row in theirs.values())
    many = canary > tolerated
    return _signal(
        Reason.RESTARTS,
        "restarted",
        canary,
        stable,
        tolerated,
        alone=many and canary - stable > tolerated >= recent,
        shared=many and recent > 0,
    )


def _most(rows: Iterable[Array]) -> float:
    return max((float(row.sum()) for row in rows), default=0.0)


def _times(rows: Iterable[Array]) -> NDArray[np.int64]:
    """The intervals in which any of these counts something."""
    return np.flatnonzero(sum(rows, start=np.zeros(1)))


def _newest(answer: Answer, name: str) -> float:
    """0 where it was never seen."""
    values = answer.value(name)
    seen = values[~np.isnan(values)]
    return float(seen[-1]) if len(seen) else 0.0


def _signal(
    reason: Reason,
    how: str,
    canary: float,
    stable: float,
    tolerated: int = 0,
    *,
    alone: bool,
    shared: bool,
) -> Signal:
    name, found, why = reason.value, None, ""
    if alone:
        found = reason
        many = "1 container" if canary == 1 else f"{canary:.0f} containers"
        why = f"{many} of the canary {'is' if canary == 1 else 'are'} {how}"
        if reason is Reason.RESTARTS:
            times = f"{canary:.0f} times, and {tolerated} are tolerated"
            why = f"a container of the canary was {how} {times}"
    elif shared:
        found = Reason.COMMON_MODE
        why = f"containers of stable are {how} as well: waiting until the shared incident is over"
    return Signal(name, found, why, canary, stable, tolerated)
