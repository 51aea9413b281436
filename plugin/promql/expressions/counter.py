"""A counter of events, as a team writes it: a selector, or the sum of its rate."""

import re
from dataclasses import dataclass

from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatrixSelector,
    ParenExpr,
    VectorSelector,
)

from plugin.promql.expressions.parsing import (
    ExpressionError,
    check_selector,
    matchers,
    metric,
    parse,
    subqueries,
)
from plugin.promql.matchers import Matcher, selector

_RATES = {"rate", "increase", "irate"}
_RECORDED_RATE = re.compile(r":[^:]*(rate|ratio|increase|delta)[^:]*$")
"""Recording rules are called level:metric:operations."""
_FIX = 'write a counter such as payments_total{outcome="failed"}, or sum(rate(…[5m])) of one'


@dataclass(frozen=True)
class Counter:
    """The metric whose increments are the events, and which of its series count."""

    metric: str
    matchers: tuple[Matcher, ...]

    def __str__(self) -> str:
        return selector(self.metric, self.matchers)


def read_counter(text: str) -> Counter:
    """The one counter that an expression adds up; its rate and range are taken off.

    Raises ExpressionError.
    """
    return counter_in(parse(text))


def counter_in(tree: Expr) -> Counter:
    """The same of an expression that has been read already."""
    if subqueries(tree):
        raise ExpressionError(f"has a subquery, which counts nothing; {_FIX}")
    found = _selector(tree)
    check_selector(found)
    name = metric(found)
    if _RECORDED_RATE.search(name):
        raise ExpressionError(f"{name} is recorded as a rate, which counts nothing; {_FIX}")
    return Counter(name, matchers(found))


def _selector(node: Expr) -> VectorSelector:
    match node:
        case VectorSelector():
            return node
        case ParenExpr():
            return _selector(node.expr)
        case AggregateExpr() if str(node.op) == "sum":
            return _selector(node.expr)
        case BinaryExpr() if str(node.op) == "or" and str(node.rhs) == "vector(0)":
            return _selector(node.lhs)
        case Call(args=[MatrixSelector() as series]) if node.func.name in _RATES:
            return series.vector_selector
        case MatrixSelector():
            raise ExpressionError(f"has a range but no rate; {_FIX}")
        case BinaryExpr() if str(node.op) == "/":
            raise ExpressionError("is a ratio already; put its two halves into bad and total")
        case _:
            raise ExpressionError(f"is not the count of one kind of events; {_FIX}")
