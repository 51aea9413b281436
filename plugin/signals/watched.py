"""All signals of a release, from Prometheus' answer. Pure."""

from datetime import timedelta
from math import ceil

import numpy as np
from numpy.typing import NDArray

from plugin.counts.answer import Answer
from plugin.promql.expressions import read_value
from plugin.signals.ask import FAILED_SCRAPES, series_of
from plugin.signals.bounds import within_bounds
from plugin.signals.health import health
from plugin.signals.scraped import throughout
from plugin.signals.signal import Signal
from plugin.slo import SLO, Bound


def watched(slo: SLO, answer: Answer, since: int | None) -> tuple[Signal, ...]:
    """What the canary's pods say, and the values with bounds, since the release's first interval.

    That one is None if there is none.
    """
    bounds = (
        within_bounds(
            bound,
            answer.value(f"canary {bound.name}"),
            answer.value(f"stable {bound.name}"),
            answer.query.step,
            since,
            known=_known(bound, answer, since),
        )
        for bound in slo.bounds
    )
    return (*health(answer, slo.restarts), *bounds)


def _known(bound: Bound, answer: Answer, since: int | None) -> NDArray[np.bool_]:
    if bound.value is None:  # what is built in is no sum over series
        return np.ones(answer.query.intervals, dtype=bool)
    step = answer.query.step
    reach = ceil(read_value(bound.value).reach / timedelta(seconds=step))
    series, failed = answer.value(series_of(bound)), answer.value(FAILED_SCRAPES)
    least = bound.least is not None
    return throughout(series, failed, least=least, reach=reach, step=step, since=since or 0)
