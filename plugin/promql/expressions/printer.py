"""Tree → PromQL, with further label conditions in every selector.

The parser's own printer does not escape the quotes in label values, so this one does all of it.
Every operator and argument gets its own brackets: nothing depends on precedence.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from promql_parser import (
    AggModifierType,
    AggregateExpr,
    BinaryExpr,
    BinModifier,
    Call,
    Expr,
    LabelModifierType,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    StringLiteral,
    UnaryExpr,
    VectorMatchCardinality,
    VectorSelector,
)

from plugin.promql.expressions.parsing import ExpressionError, label, matchers, metric
from plugin.promql.matchers import Matcher, quote, selector

_GROUPS = {
    str(VectorMatchCardinality.ManyToOne): "group_left",
    str(VectorMatchCardinality.OneToMany): "group_right",
}


@dataclass(frozen=True)
class Insert:
    """What is put into an expression.

    `matchers` gives the label conditions for a metric of that name. `replicas` are the labels that
    tell apart what a pair of Prometheus servers has twice: of each pair the larger value is taken.
    A sample is one of now for `held`; without it for Prometheus' own five minutes, in which one
    sample before an outage would look like many.
    """

    matchers: Callable[[str], tuple[Matcher, ...]]
    replicas: Sequence[str] = ()
    held: timedelta | None = None

    def now(self, series: str) -> str:
        """The samples of now of a selector."""
        if self.held is None:
            return series
        return f"last_over_time({series}[{_duration(self.held)}])"

    def once(self, series: str) -> str:
        if not self.replicas:
            return series
        return f"max without ({', '.join(self.replicas)}) ({series})"


def render(node: Expr, put: Insert) -> str:  # noqa: PLR0911 one per kind of node
    """PromQL that means the same of the series that meet the conditions put in."""
    match node:
        case VectorSelector():
            return put.once(put.now(_series(node, put)))
        case NumberLiteral():
            return _number(node.val)
        case StringLiteral():
            return quote(node.val)
        case ParenExpr():
            return render(node.expr, put)
        case UnaryExpr():
            # A plus sign has no node of its own.
            return f"((-1.0) * {render(node.expr, put)})"
        case Call():
            return _call(node, put)
        case AggregateExpr():
            return _aggregate(node, put)
        case BinaryExpr():
            sides = render(node.lhs, put), render(node.rhs, put)
            return f"({sides[0]} {node.op}{_modifier(node.modifier)} {sides[1]})"
        case _:
            raise ExpressionError("has a part that is not supported here; write something simpler")


def _series(node: VectorSelector, put: Insert) -> str:
    name = metric(node)
    return selector(name, (*matchers(node), *put.matchers(name)))


def _call(node: Call, put: Insert) -> str:
    arguments, ranges = [], False
    for each in node.args:
        if isinstance(each, MatrixSelector):
            ranges = True
            arguments.append(f"{_series(each.vector_selector, put)}[{_duration(each.range)}]")
        else:
            arguments.append(render(each, put))
    call = f"{node.func.name}({', '.join(arguments)})"
    return put.once(call) if ranges else call


def _aggregate(node: AggregateExpr, put: Insert) -> str:
    grouping = ""
    if node.modifier is not None:
        by = node.modifier.type == AggModifierType.By
        grouping = f" {'by' if by else 'without'} ({_labels(node.modifier.labels)})"
    inner = [node.expr] if node.param is None else [node.param, node.expr]
    return f"{node.op}{grouping} ({', '.join(render(each, put) for each in inner)})"


def _modifier(modifier: BinModifier | None) -> str:
    if modifier is None:
        return ""
    if modifier.fill_values.lhs is not None or modifier.fill_values.rhs is not None:
        raise ExpressionError("has fill values, which few servers know; write `or` instead")
    text = " bool" if modifier.return_bool else ""
    if modifier.matching is not None:
        on = modifier.matching.type == LabelModifierType.Include
        text += f" {'on' if on else 'ignoring'} ({_labels(modifier.matching.labels)})"
    if (group := _GROUPS.get(str(modifier.card))) is not None:
        text += f" {group} ({_labels(modifier.group_labels or [])})"
    return text


def _labels(labels: Sequence[str]) -> str:
    return ", ".join(map(label, labels))


def _duration(length: timedelta) -> str:
    return f"{length // timedelta(milliseconds=1)}ms"


def _number(value: float) -> str:
    """Python writes inf and nan as PromQL reads them; a sign would bind less than ^ does."""
    return f"({value!r})" if value < 0 else repr(value)
