"""Charts put values where they belong, and text cannot break the file."""

import pytest

from cli.replay.svg import Panel, picture, text


def panel(*, log_y: bool = False) -> Panel:
    return Panel("", (100, 50), (200, 80), (0, 10), (1, 100) if log_y else (0, 100), log_y=log_y)


def test_corners() -> None:
    assert (panel().at_x(0), panel().at_x(10)) == (100, 300)
    assert (panel().at_y(0), panel().at_y(100)) == (130, 50)


def test_a_logarithmic_axis() -> None:
    assert panel(log_y=True).at_y(10) == pytest.approx(90)


def test_what_is_beyond_an_axis_stays_in_the_frame() -> None:
    assert panel().at_y(1000) == 50
    assert panel(log_y=True).at_y(0.001) == 130


def test_a_line_has_a_gap_where_nothing_is_known() -> None:
    drawn = panel()
    drawn.line([(0, 1), (1, 2), (2, float("nan")), (3, 4), (4, 5)], "red", "measured")
    assert str(drawn).count("<polyline") == 2
    assert "nan" not in str(drawn)
    assert str(drawn).count(">measured<") == 1


def test_names_are_text_and_nothing_else() -> None:
    assert "&lt;script&gt;" in picture(10, 10, [text(0, 0, "<script>")])


def test_a_name_is_in_the_legend_once() -> None:
    drawn = panel()
    drawn.mark(1, "red", "aborted")
    drawn.mark(2, "red", "aborted")
    assert str(drawn).count(">aborted<") == 1
