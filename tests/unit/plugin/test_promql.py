"""The query is valid PromQL whatever the labels are, and never more than that."""

import promql_parser
from hypothesis import given
from hypothesis import strategies as st

from plugin.promql import Matcher, Query, quote, selector, union

# A lone surrogate is no text and cannot be sent.
text = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


@given(text)
def test_a_label_value_is_what_it_was(value: str) -> None:
    """No value ends the string it stands in, or comes out as another."""
    parsed = promql_parser.parse(selector("up", [Matcher("version", "=", value)]))
    assert isinstance(parsed, promql_parser.VectorSelector)
    (matcher,) = parsed.matchers.matchers
    assert (matcher.name, matcher.value) == ("version", value)


def test_quotes_backslashes_and_newlines_are_escaped() -> None:
    assert quote('a"b\\c\nd') == r'"a\"b\\c\nd"'


@given(text, st.integers(1, 300))
def test_the_whole_query_is_valid(value: str, step: int) -> None:
    series = selector("requests_total", [Matcher("a", "=", value), Matcher("b", "!=", value)])
    parts = {"canary availability": (series, "code"), "stable availability": (series, "code")}
    assert isinstance(promql_parser.parse(union(parts, step)), promql_parser.BinaryExpr)


def test_the_digest_names_the_text_and_not_the_time() -> None:
    now, later = Query("up", 0, 100, 10), Query("up", 10, 110, 10)
    assert now.digest == later.digest != Query("down", 0, 100, 10).digest
    assert now.intervals == 11
