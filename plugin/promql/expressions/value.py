"""Any value, as a team writes it: PromQL whose every selector gets the labels of one arm."""

from dataclasses import dataclass
from datetime import timedelta

from promql_parser import Expr, MatrixSelector

from plugin.promql.expressions.parsing import (
    ExpressionError,
    check_selector,
    children,
    matchers,
    parse,
    selectors,
    subqueries,
)
from plugin.promql.expressions.printer import Insert, render
from plugin.promql.matchers import Matcher

_LONGEST_RANGE = timedelta(hours=1)


@dataclass(frozen=True)
class Value:
    """A checked expression."""

    tree: Expr

    @property
    def used(self) -> tuple[tuple[str, tuple[Matcher, ...]], ...]:
        """The metrics that it reads, with the conditions the team has put on each."""
        return tuple((one.name or "", matchers(one)) for one in selectors(self.tree))

    def within(self, put: Insert) -> str:
        """The expression of one arm's series, as PromQL."""
        return render(self.tree, put)


def read_value(text: str) -> Value:
    """Raises ExpressionError if the arms cannot be put into it, or it would cost too much."""
    tree = parse(text)
    if subqueries(tree):
        raise ExpressionError(
            "has a subquery, which is too dear to ask every time; record it as a metric"
        )
    found = list(selectors(tree))
    if not found:
        raise ExpressionError("reads no metric, so it is the same for both arms; name one")
    for one in found:
        check_selector(one)
    if _is_range(tree):
        raise ExpressionError("is a range and no value; write rate(…[5m]) or max_over_time(…[5m])")
    if _longest(tree) > _LONGEST_RANGE:
        raise ExpressionError("looks back further than an hour; a canary is younger than that")
    render(tree, Insert(lambda _: ()))
    return Value(tree)


def _is_range(tree: Expr) -> bool:
    return isinstance(tree, MatrixSelector)


def _longest(node: Expr) -> timedelta:
    own = node.range if isinstance(node, MatrixSelector) else timedelta(0)
    return max([own, *(_longest(child) for child in children(node))])
