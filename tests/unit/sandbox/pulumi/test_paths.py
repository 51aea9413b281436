"""Property paths are read and written as the engine does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.pulumi import paths

steps = st.one_of(st.integers(min_value=0, max_value=99), st.text(min_size=1))


@given(st.lists(steps, min_size=1).filter(lambda path: path[0] != "*"))
def test_a_rendered_path_is_read_back(path):
    wanted = tuple(path)
    assert paths.parse(paths.render(wanted)) == wanted


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("spec.http", ("spec", "http")),
        ("spec.http[0].route[*].weight", ("spec", "http", 0, "route", "*", "weight")),
        ('metadata.annotations["a.b/c"]', ("metadata", "annotations", "a.b/c")),
        ("metadata.annotations.pulumi-x", ("metadata", "annotations", "pulumi-x")),
    ],
)
def test_the_notations_people_write(text, path):
    assert paths.parse(text) == path


def test_what_is_no_path_is_named():
    with pytest.raises(ValueError, match=r"spec\[.*is no property path"):
        paths.parse("spec[")


def test_a_pattern_covers_itself_and_what_lies_inside():
    http = ("spec", "http")
    assert paths.covers(http, http)
    assert paths.covers(http, (*http, 0, "route"))
    assert not paths.covers(http, ("spec",))
    assert not paths.covers(http, ("spec", "hosts"))
    assert paths.covers(("spec", "http", "*", "route"), ("spec", "http", 3, "route"))
