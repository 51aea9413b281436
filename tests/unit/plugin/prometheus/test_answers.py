"""Reading an answer: whatever the bytes are, samples that are numbers, or a typed error."""

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plugin.prometheus import PrometheusError
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
