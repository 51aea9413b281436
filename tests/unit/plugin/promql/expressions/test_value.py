"""Users' PromQL comes out with the arm in every selector, meaning the same, and nothing more."""

from datetime import timedelta

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.promql.expressions import ExpressionError, Insert, read_value
from plugin.promql.expressions.parsing import matchers, selectors
from plugin.promql.matchers import Matcher

ARM = Matcher("version", "=", "1.1")

labels = st.sampled_from(["a", "b", "le"])
texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="`{"), max_size=12)


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


conditions = st.lists(
    st.builds(lambda label, value: f"{label}={quoted(value)}", labels, texts), max_size=2
)
instant = st.builds(
    lambda name, inside: f"{name}{{{','.join(inside)}}}",
    st.sampled_from(["heap_bytes", "job:errors:rate5m", "x"]),
    conditions,
)


def deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    number = st.sampled_from(["2", "-2", "0.5", "1e-9", "Inf", "NaN"])
    either = st.one_of(inner, number)
    binary = st.sampled_from(["+", "-", "*", "/", "%", "^", "atan2"])
    of_sets = st.sampled_from(["and on (a)", "or", "unless ignoring (b)", "> bool", "== bool"])
    return st.one_of(
        st.builds("{} {} {}".format, inner, binary, either),
        st.builds("({}) {} ({})".format, either, binary, inner),
        st.builds("{} {} {}".format, inner, of_sets, inner),
        st.builds("({}) * on (a) group_left (le) ({})".format, inner, inner),
        st.builds("sum by (a, le) ({})".format, inner),
        st.builds("max without (b) ({})".format, inner),
        st.builds("topk(3, {})".format, inner),
        st.builds("-({})".format, inner),
        st.builds("clamp_min({}, 0)".format, inner),
        st.builds('label_replace({}, "a", "$1", "b", "(.*)")'.format, inner),
        st.builds("histogram_quantile(0.9, {})".format, inner),
        st.builds("sum(rate({}[1m30s]))".format, instant),
    )


expressions = st.recursive(instant, deeper, max_leaves=6)


def found(text: str) -> list[tuple[str | None, tuple[Matcher, ...]]]:
    tree = promql_parser.parse(text)
    return [(one.name, matchers(one)) for one in selectors(tree)]


@given(expressions)
def test_every_selector_gets_the_arm_and_keeps_its_own_conditions(text: str) -> None:
    """Whatever the labels' values are: quotes and backslashes end no string."""
    rendered = read_value(text).within(Insert(lambda _: (ARM,)))
    assert found(rendered) == [(name, (*own, ARM)) for name, own in found(text)]


@given(expressions)
def test_what_is_printed_means_what_was_read(text: str) -> None:
    """Brackets may be added; nothing else changes however often it is read and printed."""
    once = read_value(text).within(Insert(lambda _: ()))
    assert read_value(once).within(Insert(lambda _: ())) == once


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a - b - c", "((a{} - b{}) - c{})"),
        ("a - (b - c)", "(a{} - (b{} - c{}))"),
        ("2 ^ 3 ^ a", "(2.0 ^ (3.0 ^ a{}))"),
        ("-a ^ 2", "((-1.0) * (a{} ^ 2.0))"),
        ("(-2) ^ a", "((-2.0) ^ a{})"),
        ("a or b unless c", "(a{} or (b{} unless c{}))"),
        ("sum(a) by (x)", "sum by (x) (a{})"),
        ("max_over_time(a[90s])", "max_over_time(a{}[90000ms])"),
    ],
)
def test_precedence_is_written_out(text: str, printed: str) -> None:
    assert read_value(text).within(Insert(lambda _: ())) == printed


def test_series_that_two_servers_have_are_taken_once() -> None:
    put = Insert(lambda _: (), replicas=("replica",))
    assert read_value("a + rate(b[1m])").within(put) == (
        "(max without (replica) (a{}) + max without (replica) (rate(b{}[60000ms])))"
    )


def test_a_sample_is_one_of_now_for_as_long_as_is_said() -> None:
    """Not for Prometheus' five minutes; a range of the team's own stays as it is."""
    put = Insert(lambda _: (), held=timedelta(seconds=30))
    assert read_value("sum(a) / max_over_time(b[1m])").within(put) == (
        "(sum (last_over_time(a{}[30000ms])) / max_over_time(b{}[60000ms]))"
    )


def test_the_arm_is_that_of_each_metric() -> None:
    put = Insert(lambda metric: (Matcher("of", "=", metric),))
    assert read_value("a / b").within(put) == '(a{of="a"} / b{of="b"})'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sum(", "is no PromQL"),
        ("1 + time()", "reads no metric"),
        ("a[5m]", "is a range and no value"),
        ("(a[5m])", "is a range and no value"),
        ("sort(a)", r"leave it out"),
        ("sum(sort_by_label(a, 'b'))", r"leave it out"),
        ("limitk(1, a)", "not every Prometheus knows"),
        ("time() - timestamp(a)", "tells of the scrapes"),
        ("count_over_time(a[1m])", "tells of the scrapes"),
        ("sum_over_time(a[1m])", "tells of the scrapes"),
        ("min(up)", "tells of the scrapes"),
        ("max(scrape_duration_seconds)", "tells of the scrapes"),
        ("info(a)", "not every Prometheus knows"),
        ("mad_over_time(a[1m])", "not every Prometheus knows"),
        ("max_over_time(rate(a[1m])[5m:15s])", "subquery"),
        ("rate(a[2h])", "further than an hour"),
        ("a offset 1d", "remove offset and @"),
        ("a + (b @ 1609746000)", "remove offset and @"),
        ('a + {job="x"}', "names no metric"),
        ("a / sum(kube_pod_info)", "knows pods and not versions"),
    ],
)
def test_what_the_arms_cannot_be_put_into_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ExpressionError, match=problem):
        read_value(text)


@pytest.mark.parametrize(
    "text",
    [
        "a or vector(0)",
        "a or on () vector(0)",
        "vector(0) or a",
        "sum(a or (vector(1) - 1))",
        "vector(0) unless a",
        "absent(a)",
        "1 - absent_over_time(a[1m])",
        "scalar(a)",
        "vector(scalar(a) > bool 1)",
    ],
)
def test_a_failed_scrape_must_not_look_like_a_value(text: str) -> None:
    with pytest.raises(ExpressionError, match="missing metric would look like a value"):
        read_value(text)


@pytest.mark.parametrize(
    "text",
    [
        'a{"b.c"="1"}',
        'a{"b=\\"\\"}[30s]) or secret or last_over_time(a{b"!="c"}',
        'sum by ("a) (secret) or sum by (b") (a)',
        'a + on ("b c") d',
        'a * on (b) group_left ("c d") e',
    ],
)
def test_a_label_in_quotes_could_end_the_braces_it_is_printed_in(text: str) -> None:
    with pytest.raises(ExpressionError, match="use labels of letters, digits and _"):
        read_value(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("-" * 900 + "a", "has more than 100 parts"),
        ("+".join(["a"] * 500), "has more than 100 parts"),
        ("^".join(["a"] * 500), "has more than 100 parts"),
        ("(" * 500 + "a" + ")" * 500, "has more than 100 parts"),
        ("-" * 20_000 + "a", "has more than 2000 characters"),
    ],
)
def test_what_is_too_large_to_walk_over_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ExpressionError, match=problem):
        read_value(text)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        rendered = read_value(text).within(Insert(lambda _: (ARM,)))
    except ExpressionError:
        return
    promql_parser.parse(rendered)


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("a", 0),
        ("sum(rate(a[5m])) / rate(b[1m])", 300),
        ("app:orders:rate10m", 600),
        ("app:orders:ratio_rate1h", 3600),
        ("app:orders:sum", 300),
        ("max_over_time(app:orders:rate1m[5m])", 300),
    ],
)
def test_how_far_back_it_looks_is_in_its_ranges_or_in_the_name_of_what_is_recorded(
    text: str, reach: int
) -> None:
    assert read_value(text).reach == timedelta(seconds=reach)


SHRINKS = ["a", "max by (b) (a) + 2", "count(a)", "topk(3, max_over_time(a[1m]))"]
FILLS = ["sum(a)", "sum(rate(a[5m]))", "topk(3, increase(a[1m]))", "max(last_over_time(a[5m]))"]


@pytest.mark.parametrize("text", SHRINKS)
def test_missing_samples_make_a_maximum_smaller_only(text: str) -> None:
    assert read_value(text).only_shrinks
    assert read_value(text).only_fills


@pytest.mark.parametrize("text", FILLS)
def test_series_that_come_make_a_sum_smaller_only_and_missing_samples_may_not(text: str) -> None:
    """One that is missing may be negative; a rate goes on around a hole as it was beside it."""
    assert not read_value(text).only_shrinks
    assert read_value(text).only_fills


@pytest.mark.parametrize(
    "text",
    [
        "a - b",
        "a / b",
        "avg(a)",
        "min(a)",
        "-a",
        "a > 5",
        "time() - a",
        "a:b:rate5m",
        "avg_over_time(a[5m])",
        "histogram_quantile(0.9, sum by (le) (rate(a[5m])))",
    ],
)
def test_of_others_both_may_do_the_opposite(text: str) -> None:
    assert not read_value(text).only_shrinks
    assert not read_value(text).only_fills
