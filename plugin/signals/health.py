"""OOM kills, crash loops and restarts of the canary's containers. Pure.

They fail a release at once, whatever its traffic. Where kube-state-metrics is not scraped nothing
is known, and that is no fault. Where stable suffers from the same just now, it is an incident.
"""

from collections.abc import Callable

import numpy as np

from plugin.counts.answer import Answer
from plugin.signals.ask import CRASH, OOM, PODS, RESTARTS
from plugin.signals.signal import Signal
from plugin.statistics.evidence import Array
from plugin.verdict.reasons import Reason


def health(answer: Answer, tolerated: int) -> list[Signal]:
    """One signal per way in which containers die. `tolerated` is the number of restarts."""

    def newest(name: str) -> float | None:
        seen = answer.value(name)[~np.isnan(answer.value(name))]
        return float(seen[-1]) if len(seen) else None

    return [
        _signal(newest, OOM, 0, Reason.OOM_KILLED, "killed for want of memory"),
        _signal(newest, CRASH, 0, Reason.CRASH_LOOP, "in a crash loop"),
        _signal(newest, RESTARTS, tolerated, Reason.RESTARTS, "restarted"),
    ]


def attempt_pods(answer: Answer) -> tuple[Array, Array]:
    """How many pods the canary and stable have per interval; NaN where none is known."""
    return answer.value(f"canary {PODS}"), answer.value(f"stable {PODS}")


def _signal(
    newest: Callable[[str], float | None], part: str, tolerated: int, reason: Reason, how: str
) -> Signal:
    # Only restarts are told when there are none: they show that somebody looked.
    looked = newest(f"canary {RESTARTS}") is not None
    canary = newest(f"canary {part}") or 0.0 if looked else None
    stable = newest(f"stable {part}") or 0.0 if looked else None
    name = reason.value
    if canary is None or canary <= tolerated:
        return Signal(name, canary=canary, stable=stable, bound=tolerated)
    if stable is not None and stable > tolerated:
        reason = Reason.COMMON_MODE
        why = f"containers of stable are {how} as well: waiting until the shared incident is over"
    elif part == RESTARTS:
        why = (
            f"a container of the canary was {how} {canary:.0f} times, and {tolerated} are tolerated"
        )
    else:
        containers = "container" if canary == 1 else "containers"
        why = f"{canary:.0f} {containers} of the canary {'is' if canary == 1 else 'are'} {how}"
    return Signal(name, reason, why, canary, stable, tolerated)
