"""Values survive the way over the engine's wire; markers mean what the protocol says."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.pulumi import properties

scalars = st.one_of(
    st.booleans(),
    st.integers(min_value=-(2**53), max_value=2**53),
    st.floats(allow_nan=False, allow_infinity=False, width=32).filter(
        lambda number: not number.is_integer()
    ),
    st.text(),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(st.dictionaries(st.text(), values))
def test_values_survive_the_wire(tree):
    assert properties.decode(properties.encode(tree)) == tree


def test_whole_numbers_are_integers_again():
    """The wire has only doubles, and the API server refuses 80.0 for a port."""
    port = properties.decode(properties.encode({"port": 80}))["port"]
    assert isinstance(port, int)


def test_nulls_are_left_out():
    assert properties.decode(properties.encode({"a": None, "b": 1})) == {"b": 1}


def test_a_secret_is_unwrapped():
    marked = {"token": properties.secret({"p": "x"})}
    assert properties.decode(properties.encode(marked)) == {"token": {"p": "x"}}


def test_unknowns_are_found_at_any_depth():
    assert properties.has_unknowns({"a": [{"b": properties.UNKNOWN}]})
    assert not properties.has_unknowns({"a": [{"b": "known"}], "c": 1})
