"""Where a stage stands, read from the traffic itself: since when, with which share, for how long.

No controller tells: Argo Rollouts sends the same question at every look, Flagger not even the
weight. The counts tell both, and only they know how long there was anything to see.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

import numpy as np

from plugin.counts import Counts
from plugin.question import Question
from plugin.statistics.evidence import Array, Strata, trailing

INCIDENT_SECONDS = 30
"""How far back "now" reaches, for incidents and for the canary's share of the traffic."""

_OVERFED = 1.5
"""A canary with so many times its share of the traffic is routed wrongly, or the stage is over."""
_STARVED = 0.5
"""So much of its share is too little."""
_CLEARLY = 20.0
"""So much (the ln of a likelihood ratio) is no chance."""
_ENOUGH = 20
"""So many requests the canary should have had before its share is compared: by chance alone half
of them are missing in one of 200 cases."""


@dataclass(frozen=True)
class Progress:
    """The stage `begins` at this interval of the counts since the canary's first request.

    `share` says that the canary gets the traffic its stage should give it, `over` that the stage
    had its time, and `alone` that stable never had a request, or is left none by this stage.
    """

    begins: int = 0
    share: bool = True
    over: bool = False
    alone: bool = False

    @classmethod
    def of(cls, counts: Counts, question: Question) -> "Progress":
        """From the counts since the canary's first request.

        Without a weight between 0 and 100 there is nothing to tell a stage by: it is the rollout.
        A hand-written rollout says 100 where it splits no traffic (A/B, blue-green). Only where 100
        is one of the stages stable is left nothing, and nothing of it can be compared.
        """
        traffic, seconds = counts.traffic, counts.seconds
        weight, time = question.stage.weight, question.stage_time
        if weight == 100 and any(stage.weight == 100 for stage in question.stages):
            return cls(begins=len(traffic), alone=True)
        alone = not (counts.stable_before or traffic.stable_total.any())
        if weight is None or not 0 < weight < 100:
            return cls(over=_observed(traffic, seconds, time), alone=alone)
        share = weight / 100
        begins = stage_start(traffic, share, question.weight_before / 100)
        stage = traffic[begins:]
        fed = stage.share > 0 and misfed(stage, seconds, share) is None
        return cls(begins, fed, _observed(stage, seconds, time), alone)


def stage_start(traffic: Strata, weight: float, before: float = 0) -> int:
    """The first interval of the stage that gives the canary this share (0 to 1) of the traffic.

    It is the most likely moment at which the canary's share rose to it from that of the stage
    `before`, or from half of it if that is more: evidence of the stage before is none for this one.
    A moment after which the share was clearly the old one for two intervals is none: while some of
    stable's pods are not scraped, the stage before looks like this one, and it may well pass as
    soon as they are again.
    The number of intervals if the share has not arrived, be it for a moment or because the traffic
    is not split as it should.
    """
    lower = max(before, weight / 2)
    gain = traffic.canary_total * np.log(weight / lower)
    gain += traffic.stable_total * np.log((1 - weight) / (1 - lower))
    after = _last_clear_loss(np.where(traffic.canary_total > 0, gain, 0.0))
    since = _suffix_sums(gain[after:])
    return after + int(np.argmax(since)) if len(since) and since.max() > 0 else len(traffic)


def _last_clear_loss(gain: Array) -> int:
    """The interval after which the gains never again add up to a clear loss.

    None is one by itself: a scrape that is missed makes a bad interval, and a good one after it.
    """
    most = _CLEARLY / 2
    since = _suffix_sums(gain.clip(-most, most))
    lost = np.maximum.accumulate(since[::-1])[::-1] - since
    return int(np.max(np.flatnonzero(lost >= _CLEARLY), initial=-1)) + 1


def _suffix_sums(values: Array) -> Array:
    return np.cumsum(values[::-1])[::-1]


def recent(seconds: int) -> int:
    """The intervals that are "now", if each is so many seconds long."""
    return max(3, ceil(INCIDENT_SECONDS / seconds))


def newest(traffic: Strata, seconds: int, share: float) -> Strata:
    """The traffic that tells the canary's share now: what is recent, and before that as much as it
    takes for the canary to have had `_ENOUGH` requests with its `share`.

    Not all of the stage: what was routed wrongly for minutes would hold it for hours.
    """
    expected = share * np.cumsum((traffic.canary_total + traffic.stable_total)[::-1])
    enough = int(np.searchsorted(expected, _ENOUGH)) + 1
    return traffic[-max(recent(seconds), enough) :]


def misfed(traffic: Strata, seconds: int, share: float) -> Strata | None:
    """The newest traffic of which the canary has not its `share`; None if nothing shows that.

    All that is recent is looked at, and its newest two intervals, three, …: while a share changes
    from far too much to far too little, the mean of both is right for a moment.
    """
    parts = [traffic[-size:] for size in range(recent(seconds), 1, -1)]
    known = [newest(traffic, seconds, share)]
    known += [part for part in parts if _expected(part, share) >= _ENOUGH]
    overfed = (part for part in known if part.share > _OVERFED * share)
    hungry = (part for part in parts if starved(part, share))
    return next(overfed, None) or next(hungry, None)


def starved(traffic: Strata, share: float) -> bool:
    """Whether the canary got less than half of its `share` (a fraction) of this traffic.

    A canary whose callers cannot reach it makes no errors, and must not pass for that.
    """
    expected = _expected(traffic, share)
    return expected >= _ENOUGH and float(traffic.canary_total.sum()) < _STARVED * expected


def _expected(traffic: Strata, share: float) -> float:
    """The canary's requests, had it exactly its share."""
    return share * float(traffic.canary_total.sum() + traffic.stable_total.sum())


def _observed(traffic: Strata, seconds: int, time: timedelta | None) -> bool:
    """Whether requests were counted for that long, and lately of both arms.

    Time in which none were does not count: it may be an outage, and then nobody has looked. That
    one interval lacks requests of one arm is chance where there are few; that "now" does, is a
    hole like any other.
    """
    seen = traffic.canary_total + traffic.stable_total > 0
    for total in (traffic.canary_total, traffic.stable_total):
        seen &= trailing((total > 0).astype(np.float64), recent(seconds)) > 0
    intervals = int(np.count_nonzero(seen))
    return time is not None and intervals > 0 and intervals * seconds >= time.total_seconds()
