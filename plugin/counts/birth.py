"""Where a release begins: the canary's first request of this attempt. Pure."""

from math import ceil

import numpy as np

from plugin.statistics.evidence import Array, Strata

_ABSENCE_REQUESTS, _ABSENCE_SECONDS, _ABSENCE_SCRAPES = 1000.0, 300, 20


def birth(
    traffic: Strata, seconds: int, attempt: int | None = None, by_name: Array | None = None
) -> int | None:
    """The first interval, each `seconds` long, of this release's canary; None without a request.

    An earlier attempt at the same version does not count, neither before its successor has its
    first request nor after. `attempt` is where this one's pods came. If that is not known, the
    canary was away if stable served a thousand requests in a row without one for it, and for
    five minutes or 20 intervals: some scrapes that failed are no absence. (At a weight of 1 %
    chance alone does that in one of 20,000 cases, and then costs only time.)

    `by_name` are the requests that name the canary's version: it begins with one of those.
    """
    start = _last_return(traffic, seconds) if attempt is None else attempt
    named = np.flatnonzero(traffic.canary_total if by_name is None else by_name)
    named = named[named >= start] if start is not None else named[:0]
    return int(named[0]) if len(named) else None


def attempt_of(canary_pods: Array, stable_pods: Array, canary_requests: Array) -> int | None:
    """The interval in which the pods of this attempt came; None if its pods are not known.

    They were away where stable has pods, the canary has none, and none of its requests was counted
    either. Where neither arm's pods are known, nobody looked.
    """
    if not (canary_pods > 0).any():
        return None
    away = ~(canary_pods > 0) & (stable_pods > 0) & (canary_requests == 0)
    gone = np.flatnonzero(away)
    return int(gone[-1]) + 1 if len(gone) else 0


def quiet(traffic: Strata) -> float:
    """Stable's requests since the canary's last one."""
    seen = np.flatnonzero(traffic.canary_total)
    return float(traffic.stable_total[seen[-1] + 1 if len(seen) else 0 :].sum())


def _last_return(traffic: Strata, seconds: int) -> int | None:
    """Where the canary was last seen again after a long absence; None if it is absent now."""
    seen = np.flatnonzero(traffic.canary_total)
    if not len(seen):
        return None
    until = np.append(seen[1:], len(traffic))
    before = np.concatenate(([0.0], np.cumsum(traffic.stable_total)))
    requests = before[until] - before[seen + 1]
    long = min(ceil(_ABSENCE_SECONDS / seconds), _ABSENCE_SCRAPES)
    absences = np.flatnonzero((requests >= _ABSENCE_REQUESTS) & (until - seen > long))
    if not len(absences):
        return int(seen[0])
    back = until[absences[-1]]
    return int(back) if back < len(traffic) else None
