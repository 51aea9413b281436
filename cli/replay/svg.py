"""As much of SVG as a chart needs: panels with axes, lines, dots and legends. Pure.

Written out here because a plotting library would be the largest dependency of the command line.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import isnan, log10
from xml.sax.saxutils import escape

INK, FAINT, PALE = "#1f2933", "#d9dee4", "#eef1f4"
COLOURS = ("#0b6fb8", "#d9480f", "#2b8a3e", "#7048b6", "#b8860b", "#c2255c", "#0c8599", "#5c677d")
_FONT = "font-family='sans-serif'"

Point = tuple[float, float]
Ticks = Sequence[tuple[float, str]]


@dataclass
class Panel:
    """One chart: `corner` is its upper left one, `size` its width and height, all in pixels.

    `x` and `y` are (from, to) in the units of the data; with `log_y` the y axis is logarithmic.
    """

    title: str
    corner: Point
    size: Point
    x: tuple[float, float]
    y: tuple[float, float]
    x_ticks: Ticks = ()
    y_ticks: Ticks = ()
    log_y: bool = False
    _drawn: list[str] = field(default_factory=list)
    _legend: list[tuple[str, str]] = field(default_factory=list)

    def at_x(self, value: float) -> float:
        low, high = self.x
        return self.corner[0] + self.size[0] * (value - low) / (high - low)

    def at_y(self, value: float) -> float:
        scale: Callable[[float], float] = log10 if self.log_y else float
        low, high = map(scale, self.y)
        inside = min(max(scale(max(value, self.y[0])), low), high)
        return self.corner[1] + self.size[1] * (1 - (inside - low) / (high - low))

    def line(
        self, points: Iterable[Point], colour: str, name: str = "", *, dashed: bool = False
    ) -> None:
        """With gaps where y is NaN."""
        dash = " stroke-dasharray='5 4'" if dashed else ""
        for known, part in groupby(points, lambda point: not isnan(point[1])):
            if known:
                path = " ".join(f"{self.at_x(x):.1f},{self.at_y(y):.1f}" for x, y in part)
                drawn = f"<polyline points='{path}' fill='none' stroke='{colour}'"
                self._drawn.append(f"{drawn} stroke-width='1.5'{dash}/>")
        self._name(name, colour)

    def dots(self, points: Iterable[Point], colour: str, name: str = "") -> None:
        """Lines without length: their round ends are the dots."""
        path = "".join(f"M{self.at_x(x):.1f} {self.at_y(y):.1f}h0" for x, y in points)
        self._drawn.append(
            f"<path d='{path}' stroke='{colour}' stroke-width='4' stroke-linecap='round' "
            "stroke-opacity='0.75'/>"
        )
        self._name(name, colour)

    def mark(self, x: float, colour: str, name: str = "") -> None:
        """A short upright line at the bottom of the frame."""
        at, foot = self.at_x(x), self.corner[1] + self.size[1]
        self._drawn.append(_line((at, foot - 9), (at, foot), colour, 1.5))
        if (name, colour) not in self._legend:
            self._name(name, colour)

    def _name(self, name: str, colour: str) -> None:
        if name:
            self._legend.append((name, colour))

    def __str__(self) -> str:
        (left, top), (width, height) = self.corner, self.size
        right, foot = left + width, top + height
        parts = [
            text(left, top - 10, self.title, size=13, weight="bold"),
            f"<rect x='{left}' y='{top}' width='{width}' height='{height}' "
            f"fill='white' stroke='{FAINT}'/>",
        ]
        for value, label in self.x_ticks:
            at = self.at_x(value)
            parts += [_line((at, top), (at, foot), PALE), text(at, foot + 14, label, "middle")]
        for value, label in self.y_ticks:
            at = self.at_y(value)
            parts.append(_line((left, at), (right, at), PALE))
            parts.append(text(left - 5, at + 4, label, "end"))
        parts += self._drawn
        for number, (name, colour) in enumerate(self._legend):
            at = top + 15 + 15 * number
            parts += [
                _line((right + 10, at - 4), (right + 26, at - 4), colour, 3),
                text(right + 31, at, name),
            ]
        return "\n".join(parts)


def text(
    x: float, y: float, words: str, anchor: str = "start", *, size: int = 11, weight: str = "normal"
) -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' font-size='{size}' "
        f"font-weight='{weight}' fill='{INK}' {_FONT}>{escape(words)}</text>"
    )


def picture(width: int, height: int, parts: Iterable[object]) -> str:
    """A whole file."""
    body = "\n".join(map(str, parts))
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' "
        f"viewBox='0 0 {width} {height}'>\n<rect width='100%' height='100%' fill='white'/>\n"
        f"{body}\n</svg>\n"
    )


def _line(start: Point, end: Point, colour: str, width: float = 1) -> str:
    (x1, y1), (x2, y2) = start, end
    return (
        f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' "
        f"stroke-width='{width}'/>"
    )
