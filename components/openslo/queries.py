"""Queries as published files have them → the counter that they read.

Most write `sum(rate(SELECTOR[5m]))`, some a bare selector. The judge and the rules count by
themselves, so of such a query only the selector says something.
"""

import re
from decimal import Decimal

from promql_parser import BinaryExpr, Call, Expr, NumberLiteral, ParenExpr

from plugin.promql.expressions import Counter, ExpressionError
from plugin.promql.expressions.counter import counter_in
from plugin.promql.expressions.parsing import parse
from plugin.promql.le import spellings
from plugin.promql.matchers import Matcher

_TEMPLATE = re.compile(r"\[\s*(?:\{\{[^{}\]]*\}\}|\$\w+|\$\{\w+\})\s*\]")
"""A range that a tool fills in: Sloth's `[{{.window}}]`, Grafana's `[$__rate_interval]`."""

_BUCKETS, _BOUND = "_bucket", "le"


def counter(query: str) -> Counter:
    """The one counter that `query` sums up. Raises ExpressionError, which says what to write."""
    tree = _or_zero(parse(_TEMPLATE.sub("[5m]", query)))
    if isinstance(tree, Call) and tree.func.name == "histogram_quantile":
        raise ExpressionError(
            "is a percentile, of which nothing can be counted; give NAME_bucket{…} with op: lte, "
            "value: SECONDS and the percentile as target"
        )
    return counter_in(tree)


def within(query: str, bound: Decimal) -> tuple[Counter, Counter]:
    """The events of a histogram up to `bound`, and all of them.

    `query` reads the buckets: NAME_bucket{…}, or its summed rate. Raises ExpressionError.
    """
    buckets = counter(query)
    if not buckets.metric.endswith(_BUCKETS):
        raise ExpressionError(
            "a threshold can be counted on a histogram only; give NAME_bucket{…}, or write a "
            "ratioMetric whose good events are the requests below the threshold"
        )
    if any(matcher.label == _BOUND for matcher in buckets.matchers):
        raise ExpressionError('already selects a bucket; remove "le", which follows from value')
    return _with_bound(buckets, spellings(bound)), _with_bound(buckets, "[+]Inf")


def _with_bound(buckets: Counter, bounds: str) -> Counter:
    return Counter(buckets.metric, (*buckets.matchers, Matcher(_BOUND, "=~", bounds)))


def _or_zero(tree: Expr) -> Expr:
    """Without the `or vector(0)` that shows nothing as zero; what counts does so anyway."""
    match tree:
        case ParenExpr():
            return _or_zero(tree.expr)
        case BinaryExpr(rhs=Call(args=[NumberLiteral(val=0)]) as zero) if (
            str(tree.op) == "or" and zero.func.name == "vector"
        ):
            return _or_zero(tree.lhs)
        case _:
            return tree
