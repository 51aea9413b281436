"""Whatever is in the file: objectives that the judge accepts, or an error that names the file."""

import copy
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.openslo import OpenSLOError, load
from components.openslo.documents import read
from plugin.slo import SLO
from tests.unit.components.openslo.sound import SOUND

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.dates(),
    st.sampled_from(["openslo/v1", "SLO", "SLI", "30d", "0.99", "lte", "a_total", "sum(a)/b"]),
)
KEYS = st.sampled_from(
    [
        "apiVersion",
        "kind",
        "metadata",
        "name",
        "spec",
        "service",
        "indicator",
        "indicatorRef",
        "ratioMetric",
        "good",
        "bad",
        "total",
        "thresholdMetric",
        "metricSource",
        "type",
        "query",
        "timeWindow",
        "duration",
        "calendar",
        "objectives",
        "target",
        "targetPercent",
        "op",
        "value",
        "budgetingMethod",
        "alertPolicies",
        "timeSliceTarget",
    ]
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | LEAVES, inner, max_size=4),
    max_leaves=12,
)


def holds(text: str) -> None:
    try:
        imported = load(text, "any.yaml", "checkout")
    except OpenSLOError as error:
        assert all(line.startswith("any.yaml: ") for line in str(error).splitlines())
    else:
        assert SLO.model_validate(imported.slo).objectives


@given(st.text() | st.text(alphabet="&*!?|>-:[]{}#%@`'\"\\ \n\tab1"))
def test_any_text(text: str) -> None:
    holds(text)


@given(VALUES)
def test_any_structure(value: Any) -> None:
    holds(yaml.safe_dump(value))


@given(st.data())
def test_a_sound_file_with_something_else_anywhere(data: st.DataObject) -> None:
    body = copy.deepcopy(SOUND)
    node: Any = body
    while True:
        steps = list(node) if isinstance(node, dict) else list(range(len(node)))
        step = data.draw(st.sampled_from(steps))
        deeper = isinstance(node[step], dict | list) and node[step] and data.draw(st.booleans())
        if not deeper:
            node[step] = data.draw(VALUES)
            break
        node = node[step]
    holds(yaml.safe_dump(body))


@given(st.text(max_size=80))
def test_any_query(query: str) -> None:
    body = copy.deepcopy(SOUND)
    good = body["spec"]["indicator"]["spec"]["ratioMetric"]["good"]
    good["metricSource"]["spec"]["query"] = query
    holds(yaml.safe_dump(body))


def test_an_anchor_that_holds_itself() -> None:
    holds("&a [*a, *a]")
    holds("apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a}\nspec: &s {indicator: *s}")


def test_what_is_merged_may_be_written_anew() -> None:
    text = "apiVersion: openslo/v1\na: &a {x: 1, y: 1}\nb: &b {<<: *a, x: 2}\nc: {<<: *b, y: 3}"
    (document,) = read(text, "any.yaml")
    assert document.body["c"] == {"x": "2", "y": "3"}


def test_very_deep_nesting() -> None:
    holds("[" * 10_000)
