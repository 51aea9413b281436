"""PromQL that users write: read into a tree, checked, and printed again with the arms put in.

Nothing a user wrote is ever pasted into a query: what the judge sends is printed from the tree.
"""

from plugin.promql.expressions.counter import Counter, read_counter
from plugin.promql.expressions.parsing import ExpressionError
from plugin.promql.expressions.printer import Insert
from plugin.promql.expressions.value import Value, is_recorded, read_value

__all__ = [
    "Counter",
    "ExpressionError",
    "Insert",
    "Value",
    "is_recorded",
    "read_counter",
    "read_value",
]
