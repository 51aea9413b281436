"""The label `le` of one bucket has several spellings in the wild."""

import re
from decimal import Decimal

import pytest

from plugin.promql.le import spellings


@pytest.mark.parametrize(
    ("bound", "written"),
    [
        ("250", ["250", "250.0"]),
        ("0.25", ["0.25"]),
        ("0.250", ["0.25"]),
        ("1000000", ["1000000", "1000000.0", "1e+06"]),
        ("1500000", ["1500000", "1500000.0", "1.5e+06"]),
    ],
)
def test_every_spelling_matches_and_no_other_bucket(bound: str, written: list[str]) -> None:
    pattern = re.compile(spellings(Decimal(bound)))
    assert all(pattern.fullmatch(each) for each in written)
    others = ["25", "2500", "0.2", "0025", "0x25", "+Inf", "100000", "1e+07"]
    assert not any(pattern.fullmatch(each) for each in others)
