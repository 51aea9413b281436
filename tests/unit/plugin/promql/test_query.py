"""The query is valid PromQL whatever the labels are, and never more than that."""

import promql_parser
from hypothesis import given
from hypothesis import strategies as st

from plugin.promql.matchers import Matcher, selector
from plugin.promql.query import Query, counted, labelled_sum, union

# A lone surrogate is no text and cannot be sent.
text = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


@given(text, st.integers(1, 300))
def test_the_whole_query_is_valid(value: str, step: int) -> None:
    series = selector("requests_total", [Matcher("a", "=", value), Matcher("b", "!=", value)])
    names = ("canary availability", "stable availability")
    parts = [labelled_sum(counted([series, "up"], step), ["code"], name) for name in names]
    assert isinstance(promql_parser.parse(union(parts)), promql_parser.BinaryExpr)


def test_the_digest_names_the_text_and_not_the_time() -> None:
    now, later = Query("up", 0, 100, 10), Query("up", 10, 110, 10)
    assert now.digest == later.digest != Query("down", 0, 100, 10).digest
    assert now.intervals == 11
