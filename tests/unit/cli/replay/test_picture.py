"""The picture is whole, whatever the replay has come to."""

from xml.etree import ElementTree

from cli.replay import picture
from tests.unit.cli.replay.conftest import MakeReport

SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_has_five_charts_inside_of_its_frame(make: MakeReport) -> None:
    drawn = ElementTree.fromstring(picture.draw(make()))  # noqa: S314 our own
    texts = [one.text for one in drawn.iter(f"{SVG}text")]
    assert "Replay of shop/checkout" in texts
    assert sum(one.get("stroke") == "#d9dee4" for one in drawn.iter(f"{SVG}rect")) == 5
    width, height = float(drawn.get("width", 0)), float(drawn.get("height", 0))
    for line in drawn.iter(f"{SVG}polyline"):
        for point in line.get("points", "").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height


def test_it_can_be_drawn_before_anything_was_replayed(make: MakeReport) -> None:
    drawn = ElementTree.fromstring(picture.draw(make(starts=0, hours=2)))  # noqa: S314 our own
    assert len(list(drawn.iter(f"{SVG}text"))) > 10
