"""Label values are what they were."""

import promql_parser
from hypothesis import given
from hypothesis import strategies as st

from plugin.promql.matchers import Matcher, quote, selector

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
