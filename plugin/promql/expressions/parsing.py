"""Text → tree, and what no expression of a user's may do."""

import re
from collections.abc import Iterable, Iterator

import promql_parser
from promql_parser import Expr, MatrixSelector, SubqueryExpr, VectorSelector

from plugin.promql.matchers import Matcher

_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
_LONGEST, _MOST = 2000, 100
"""Characters and parts: the parser, and what walks over its tree, call themselves for each."""
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_OF_PODS = ("container_", "kube_")


class ExpressionError(ValueError):
    """What is wrong with a PromQL expression, and what to write instead."""


def parse(text: str) -> Expr:
    """The tree of one expression. Raises ExpressionError."""
    if "{{" in text:
        raise ExpressionError(
            'has "{{", which Argo Rollouts would replace; write what it stands for'
        )
    if len(text) > _LONGEST:
        raise ExpressionError(f"has more than {_LONGEST} characters; write something simpler")
    try:
        tree = promql_parser.parse(text)
    except ValueError as error:
        raise ExpressionError(f"is no PromQL: {' '.join(str(error).split())[:150]}") from None
    _check_size(tree)
    return tree


def _check_size(tree: Expr) -> None:
    """Raise ExpressionError for a tree that is too large to walk over. Does not call itself."""
    found = [tree]
    for node in found:
        found.extend(children(node))
        if len(found) > _MOST:
            raise ExpressionError(
                f"has more than {_MOST} parts; record it as a metric, and write its name"
            )


def children(node: Expr) -> Iterator[Expr]:
    """The expressions that a node is made of."""
    match node:
        case promql_parser.BinaryExpr():
            yield node.lhs
            yield node.rhs
        case promql_parser.AggregateExpr():
            if node.param is not None:
                yield node.param
            yield node.expr
        case promql_parser.Call():
            yield from node.args
        case promql_parser.UnaryExpr() | promql_parser.ParenExpr() | SubqueryExpr():
            yield node.expr
        case MatrixSelector():
            yield node.vector_selector
        case _:
            return


def selectors(node: Expr) -> Iterator[VectorSelector]:
    """Every vector selector below a node."""
    if isinstance(node, VectorSelector):
        yield node
    for child in children(node):
        yield from selectors(child)


def subqueries(node: Expr) -> bool:
    return isinstance(node, SubqueryExpr) or any(subqueries(child) for child in children(node))


def metric(selector: VectorSelector) -> str:
    """The metric that a selector names; arms cannot be told apart on any metric at all."""
    if selector.name is None:
        raise ExpressionError("names no metric; write one before the braces")
    return selector.name


def matchers(selector: VectorSelector) -> tuple[Matcher, ...]:
    """The selector's label conditions. Raises ExpressionError for alternatives ("or")."""
    if selector.matchers.or_matchers:
        raise ExpressionError('has "or" between labels; write label=~"a|b"')
    return tuple(
        Matcher(label(one.name), _OPERATORS[str(one.op).rpartition(".")[2]], one.value)
        for one in selector.matchers.matchers
    )


def label(name: str) -> str:
    """The name, if it may be printed as it is. Raises ExpressionError.

    In quotes a label's name may be any text, and so could end the braces it is printed in.
    """
    if not _LABEL.fullmatch(name):
        raise ExpressionError(
            f"has the label {name[:50]!r}, which only newer servers know; use labels of letters, "
            "digits and _"
        )
    return name


def check_selector(selector: VectorSelector) -> None:
    """Raise ExpressionError if the arms cannot be put into this selector."""
    if metric(selector).startswith(_OF_PODS):
        raise ExpressionError(
            f"{selector.name} knows pods and not versions, so the arms cannot be told apart; use "
            "saturation, or a metric that the application exposes"
        )
    if selector.offset is not None or selector.at is not None:
        raise ExpressionError("looks at another time than now; remove offset and @")
    matchers(selector)


def conflict(given: Iterable[Matcher], arm_labels: Iterable[str]) -> str | None:
    """The label that a user's matcher fixes although it tells the arms apart."""
    labels = set(arm_labels)
    return next((one.label for one in given if one.label in labels), None)
