"""Scrape targets, and whether they can be scraped: what `up` tells."""

from collections.abc import Iterable
from datetime import timedelta

from plugin.promql.matchers import Matcher, selector

MEASURED = timedelta(hours=1)
"""A target is one of those on which something is measured if it had that so lately."""


def reached(matchers: Iterable[Matcher], at: str = "") -> str:
    """Per target: 1 if it could be scraped, else 0. `at` is an @ modifier.

    Of a pair of Prometheus servers one that reaches it is enough.
    """
    return f"max by (job, instance) ({selector('up', matchers)}{at})"
