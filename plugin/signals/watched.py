"""All signals of a release, from Prometheus' answer. Pure."""

from datetime import timedelta
from math import ceil

import numpy as np

from plugin.counts.answer import Answer
from plugin.promql.expressions import Value, read_value
from plugin.signals.ask import FAILED, PODS, SERIES, THROUGHOUT, lasting
from plugin.signals.bounds import within_bounds
from plugin.signals.health import health
from plugin.signals.scraped import Flags, Scraped
from plugin.signals.signal import Signal
from plugin.slo import SLO, Bound
from plugin.statistics.evidence import Array


def watched(
    slo: SLO, answer: Answer, since: int | None, scrape_interval: int
) -> tuple[Signal, ...]:
    """What the canary's pods say, and the values with bounds, since the release's first interval.

    That one is None if there is none.
    """
    bounds = (_bound(bound, answer, since) for bound in lasting(slo.bounds, scrape_interval))
    return (*health(answer, slo.restarts, since), *bounds)


def _bound(bound: Bound, answer: Answer, since: int | None) -> Signal:
    step = answer.query.step
    canary, stable = (answer.value(f"{arm} {bound.name}") for arm in ("canary", "stable"))
    if bound.value is None:  # what is built in is about the fullest container, and no sum
        missing = np.isnan(stable) & (answer.value(f"stable {PODS}") > 0)
        return within_bounds(bound, canary, stable, step, since, comparable=~missing)
    written = read_value(bound.value)
    ours, theirs = (_scraped(bound, written, answer, arm) for arm in ("canary", "stable"))
    return within_bounds(
        bound,
        canary,
        stable,
        step,
        since,
        known=_of_the_canary(bound, written, ours, since or 0),
        comparable=_of_stable(theirs),
        throughout=_throughout(bound, answer),
        failing=ours.failing,
    )


def _throughout(bound: Bound, answer: Answer) -> tuple[Array, Array] | None:
    """None where an interval is one scrape long, and has nothing in between."""
    canary, stable = (f"{arm} {bound.name} {THROUGHOUT}" for arm in ("canary", "stable"))
    return (answer.value(canary), answer.value(stable)) if canary in answer.parts else None


def _of_the_canary(bound: Bound, written: Value, canary: Scraped, since: int) -> Flags:
    """Where a value beyond the bound is the canary's own. What only shrinks is never too large."""
    own, most = canary.within(since), bound.most is not None
    if not (most and written.only_shrinks):
        own &= canary.complete
    if not (most and written.only_fills):
        own &= canary.steady
    return own


def _of_stable(stable: Scraped) -> Flags:
    """Where a value within the bound is stable's own, or it never had one."""
    if np.isnan(stable.series).all():
        return ~(stable.failed > 0)
    return stable.complete


def _scraped(bound: Bound, written: Value, answer: Answer, arm: str) -> Scraped:
    step = answer.query.step
    series, failed = (answer.value(f"{arm} {bound.name} {part}") for part in (SERIES, FAILED))
    return Scraped(series, failed, ceil(written.reach / timedelta(seconds=step)), step)
