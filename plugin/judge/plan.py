"""What is asked of Prometheus about one release.

From look to look only the time changes, so the text is made once. It was an eighth of what a
verdict has to compute.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from math import ceil, floor

from plugin import signals
from plugin.counts import cadence, parts
from plugin.counts.answer import Part
from plugin.indicators import Indicator
from plugin.promql.query import REPLICAS, Query, union
from plugin.question import Question
from plugin.scraping import lag

_DEFAULT_LOOKBACK_SECONDS = 2 * 3600
_MAX_INTERVALS = 720
"""Per query. A longer lookback widens the intervals; it does not make the query dearer."""
_REMEMBERED = 200
"""Releases that are under way at once, of some 25 kB each."""
_WHAT = {"service", "namespace", "slo", "metrics", "histograms", "labels", "arms"}
"""The fields of a question that say what to count."""


@dataclass(frozen=True)
class Plan:
    """The `indicators` of a question, those of them whose arms are scraped `apart`, the `parts` of
    the query that asks for them and for all else that is watched, and its `text`.
    """

    indicators: Sequence[Indicator]
    apart: frozenset[str]
    parts: Sequence[Part]
    text: str


def plan(question: Question, scrape_interval: int, reporter: str, now: float) -> tuple[Plan, Query]:
    """The plan of a question, and its query. `reporter` is the side of Istio's metrics to use.

    The newest interval is the last of which every target has been scraped (`now` in Unix seconds).

    The ends of the intervals are multiples of their length, so both arms, all replicas and repeated
    questions see the same ones.
    """
    usual = min(_DEFAULT_LOOKBACK_SECONDS, _MAX_INTERVALS * scrape_interval)
    seconds = question.lookback(timedelta(seconds=usual)).total_seconds()
    step = scrape_interval * ceil(seconds / (scrape_interval * _MAX_INTERVALS))
    found = _plan(question.model_dump_json(include=_WHAT), step, scrape_interval, reporter)
    end = floor((now - lag(scrape_interval)) / step) * step
    return found, Query(found.text, end - step * (ceil(seconds / step) - 1), end, step)


@lru_cache(_REMEMBERED)
def _plan(what: str, step: int, scrape_interval: int, reporter: str) -> Plan:
    question = Question.model_validate_json(what)
    indicators = question.indicators
    arms = {name: question.arm(name, reporter) for name in ("canary", "stable")}
    asked = [
        *parts(indicators, arms, step, REPLICAS),
        *cadence.part(indicators, arms, scrape_interval),
        *signals.parts(question.slo.bounds, arms, question.labels.scheme, step, scrape_interval),
    ]
    return Plan(indicators, question.apart(reporter), asked, union(map(str, asked)))
