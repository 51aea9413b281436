"""Memory limits are understood in every way the API server stores them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.node.quantity import whole

MIB = 2**20


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("192Mi", 192 * MIB),
        ("1.5Gi", 1536 * MIB),
        ("128M", 128_000_000),
        ("1e9", 10**9),
        ("1E3", 1000),
        ("2E", 2 * 10**18),
        (".5k", 500),
        ("128974848000m", 128974848),
        ("1500m", 2),
    ],
)
def test_every_notation(text: str, expected: int):
    assert whole(text) == expected


@given(st.integers(0, 2**40))
def test_a_plain_number_is_itself_and_thousandths_round_up(number: int):
    assert whole(str(number)) == number
    assert whole(f"{number}m") == -(-number // 1000)


@pytest.mark.parametrize("text", ["", "Mi", "12 Mi", "12mib", "1.2.3", ".", "nan"])
def test_anything_else_is_refused_by_name(text: str):
    with pytest.raises(ValueError, match="is no Kubernetes quantity"):
        whole(text)
