"""Any value, as a team writes it: PromQL whose every selector gets the labels of one arm."""

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import NoReturn

from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatrixSelector,
    ParenExpr,
    UnaryExpr,
    VectorSelector,
)

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
_REMEMBERED = 500
"""Expressions; they are read again for every verdict."""
_INVENTS = {"absent", "absent_over_time", "scalar"}
"""Functions that have a value where there is no series; scalar() has NaN, which `bool` makes 0."""
_OF_SCRAPES = {"timestamp", "count_over_time", "sum_over_time"}
_SHRINKING = {"+", "max", "count", "topk", "max_over_time"}
"""What is the smaller, the fewer samples there are. Not a sum: what is missing may be negative. Not
a rate: it goes on around a hole as it was beside it."""
_FILLING = {*_SHRINKING, "sum", "rate", "irate", "increase", "last_over_time"}
"""What is the smaller, the later a series came."""
_RECORDED = re.compile(r":[a-z_]*?(\d+[smhdw])$")
_RECORDED_USUALLY = timedelta(minutes=5)
_SORTS = {"sort", "sort_desc", "sort_by_label", "sort_by_label_desc"}
_EXPERIMENTAL = {"first_over_time", "info", "limitk", "limit_ratio"}
"""Beside the functions that the parser knows to be so."""


@dataclass(frozen=True)
class Value:
    """A checked expression."""

    tree: Expr

    @property
    def used(self) -> tuple[tuple[str, tuple[Matcher, ...]], ...]:
        """The metrics that it reads, with the conditions the team has put on each."""
        return tuple((one.name or "", matchers(one)) for one in selectors(self.tree))

    @property
    def reach(self) -> timedelta:
        """The longest range in it: how far back it looks. What is recorded says so in its name."""
        recorded = (_recorded(name) for name, _ in self.used)
        return max([_longest(self.tree), *recorded])

    @property
    def only_shrinks(self) -> bool:
        """Whether samples that are missing can make it smaller at most, and never larger.

        What is recorded may be anything.
        """
        return self._only_of(_SHRINKING)

    @property
    def only_fills(self) -> bool:
        """The same of series that have just come, of which no sample is missing since."""
        return self._only_of(_FILLING)

    def _only_of(self, parts: set[str]) -> bool:
        return _only_of(parts, self.tree) and not any(is_recorded(name) for name, _ in self.used)

    def within(self, put: Insert) -> str:
        """The expression of one arm's series, as PromQL."""
        return render(self.tree, put)

    def series_within(self, put: Insert) -> str:
        """How many series of one arm it reads, as PromQL."""
        # To `or` two numbers without labels would be one.
        each = (
            f'label_replace(count({render(one, put)}), "selector", "{number}", "", "")'
            for number, one in enumerate(selectors(self.tree))
        )
        return f"sum({' or '.join(each)})"

    def targets_within(self, put: Insert) -> str:
        """The targets of the series of one arm that it reads, as PromQL."""
        each = (f"group by (job, instance) ({render(one, put)})" for one in selectors(self.tree))
        return " or ".join(each)


@lru_cache(_REMEMBERED)
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
    _check_parts(tree)
    if _longest(tree) > _LONGEST_RANGE:
        raise ExpressionError("looks back further than an hour; a canary is younger than that")
    render(tree, Insert(lambda _: ()))
    return Value(tree)


def _is_range(tree: Expr) -> bool:
    return isinstance(tree, MatrixSelector) or (
        isinstance(tree, ParenExpr) and _is_range(tree.expr)
    )


def _check_parts(node: Expr) -> None:
    """Raise ExpressionError for what Prometheus may not know, or what invents a value."""
    match node:
        case BinaryExpr() if str(node.op) == "or" and (_constant(node.lhs) or _constant(node.rhs)):
            _invents("or with a constant")
        case BinaryExpr() if str(node.op) == "unless" and _constant(node.lhs):
            _invents("a constant before unless")
        case Call() if node.func.name in _INVENTS:
            _invents(f"{node.func.name}()")
        case Call() if node.func.name in _OF_SCRAPES:
            _of_scrapes(f"{node.func.name}()")
        case VectorSelector() if _about_scrapes(node.name or ""):
            _of_scrapes(node.name or "")
        case Call() if node.func.name in _SORTS:
            raise ExpressionError(
                f"has {node.func.name}(), and one value has no order; leave it out"
            )
        case Call() if node.func.experimental or node.func.name in _EXPERIMENTAL:
            _experimental(node.func.name)
        case AggregateExpr() if str(node.op) in _EXPERIMENTAL:
            _experimental(str(node.op))
        case _:
            pass
    for child in children(node):
        _check_parts(child)


def _about_scrapes(metric: str) -> bool:
    return metric == "up" or metric.startswith("scrape_")


def _constant(node: Expr) -> bool:
    return not any(selectors(node))


def _invents(what: str) -> NoReturn:
    raise ExpressionError(
        f"has {what}: a missing metric would look like a value, and a failed scrape could fail the "
        "release; leave it out: what is not seen is held, and never fails"
    )


def _of_scrapes(what: str) -> NoReturn:
    raise ExpressionError(
        f"has {what}, which tells of the scrapes and not of the canary: failed ones could fail the "
        "release; write something that the application measures"
    )


def _experimental(name: str) -> NoReturn:
    raise ExpressionError(f"has {name}, which not every Prometheus knows; write something simpler")


def is_recorded(metric: str) -> bool:
    """Whether a recording rule made it: level:metric:operations, by convention."""
    return ":" in metric


def _recorded(metric: str) -> timedelta:
    """How far back a recorded metric looks, as "…:rate5m" says."""
    if not is_recorded(metric):
        return timedelta(0)
    written = _RECORDED.search(metric)
    return _longest(parse(f"x[{written[1]}]")) if written else _RECORDED_USUALLY


def _only_of(parts: set[str], node: Expr) -> bool:
    """Whether all operators, aggregations and functions in it are among these."""
    match node:
        case BinaryExpr() | AggregateExpr() if str(node.op) not in parts:
            return False
        case Call() if node.func.name not in parts:
            return False
        case UnaryExpr():
            return False
        case _:
            return all(_only_of(parts, child) for child in children(node))


def _longest(node: Expr) -> timedelta:
    own = node.range if isinstance(node, MatrixSelector) else timedelta(0)
    return max([own, *(_longest(child) for child in children(node))])
