"""Reading an answer: whatever the bytes are, samples that are numbers, or a typed error."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.prometheus import ConfigError, PrometheusError, QueryError
from plugin.prometheus.answers import InstantAnswer, RangeAnswer, read, refusal

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
numbers = (
    st.floats().map(str) | st.integers().map(str) | st.sampled_from(["NaN", "1e999", "", "0x1"])
)
series = st.fixed_dictionaries(
    {
        "metric": st.dictionaries(st.text(max_size=5), st.text(max_size=5)) | json_values,
        "values": st.lists(st.tuples(st.floats(), numbers) | json_values, max_size=5),
    }
)


def numbers_or_an_error(content: bytes) -> None:
    samples = []
    try:
        samples += [pair for one in read(RangeAnswer, content).data.result for pair in one.values]
    except PrometheusError as error:
        assert 0 < len(str(error)) < 500
    try:
        samples += [one.value for one in read(InstantAnswer, content).data.result]
    except PrometheusError as error:
        assert 0 < len(str(error)) < 500
    assert all(math.isfinite(number) for pair in samples for number in pair)


@given(st.binary(max_size=300))
def test_any_bytes(content: bytes) -> None:
    numbers_or_an_error(content)
    assert len(refusal(content)) <= 200


@given(json_values)
def test_any_json(value: Any) -> None:
    numbers_or_an_error(json.dumps(value).encode())


@given(st.lists(series, max_size=4), st.none() | json_values)
def test_any_series(result: list[Any], warnings: Any) -> None:
    data = {"resultType": "matrix", "result": result}
    numbers_or_an_error(
        json.dumps({"status": "success", "data": data, "warnings": warnings}).encode()
    )


def test_an_answer_as_deep_as_it_is_long() -> None:
    numbers_or_an_error(b"[" * 100_000)


MIXED = "PromQL warning: encountered a mix of histograms and floats"
REMARK = "PromQL info: metric might not be a counter, name does not end in _total: x"


def remarked(warnings: list[str], infos: list[str] | None = None) -> bytes:
    data = {"resultType": "matrix", "result": []}
    answer = {"status": "success", "data": data, "warnings": warnings, "infos": infos}
    return json.dumps(answer).encode()


def test_a_remark_about_the_query_is_no_fault() -> None:
    """Servers before `infos` say it among the warnings."""
    assert read(RangeAnswer, remarked([], [REMARK])).data.result == []
    assert read(RangeAnswer, remarked([REMARK])).data.result == []


def test_a_doubt_about_the_query_is_not_for_prometheus_to_repair() -> None:
    with pytest.raises(ConfigError, match=r"mix of histograms.*look at the PromQL in slo\.limits"):
        read(RangeAnswer, remarked([REMARK, MIXED]))


def test_what_is_missing_comes_before_a_doubt() -> None:
    with pytest.raises(QueryError, match="in part: a store is away"):
        read(RangeAnswer, remarked([MIXED, "a store is away"]))
