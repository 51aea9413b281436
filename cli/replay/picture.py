"""The replay on one page: the past, its clumps, and when releases were decided. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import floor, log10

import numpy as np

from cli.replay import svg
from cli.replay.campaign import Scenario
from cli.replay.history import HOUR, History
from cli.replay.result import ADVISED, GIVEN, Report
from cli.replay.simulate import Ending
from cli.replay.svg import COLOURS, Panel, Point, Ticks
from cli.replay.words import points
from plugin.statistics.evidence import Array

_LEFT, _TOP, _WIDTH, _HEIGHT = 80, 90, 640, 170
_PANEL, _GAP, _LEGEND = (_WIDTH, _HEIGHT), 70, 240
_ALARM = "#c92a2a"
_MOST_DAYS = 10
_LEAST_BURN = 0.05


def draw(report: Report) -> str:
    """The SVG file's text."""
    panels = list(_Page(report).panels())
    question, history = report.advice.plan.question, report.history
    given = report.plans[GIVEN].question.policy.burst
    begin = datetime.fromtimestamp(history.start, UTC)
    under = (
        f"{history.hours} hours from {begin:%Y-%m-%d %H:%M} UTC; burst {given:g} as given, "
        f"{question.policy.burst:g} recommended"
    )
    title = f"Replay of {question.namespace}/{question.service}"
    height = _TOP + len(panels) * (_HEIGHT + _GAP)
    head = svg.text(_LEFT, 30, title, size=18, weight="bold"), svg.text(_LEFT, 50, under, size=12)
    return svg.picture(_LEFT + _WIDTH + _LEGEND, height, (*head, *panels))


@dataclass
class _Page:
    report: Report
    _used: int = 0

    def panels(self) -> Iterator[Panel]:
        yield self._traffic()
        yield self._failures()
        yield self._clumps()
        curves = [(plan, Scenario(plan)) for plan in self.report.plans]
        title = "Identical versions promoted, in % of the releases, by minutes since the start"
        yield self._by_time(title, Ending.PROMOTED, curves)
        last = list(self.report.plans)[-1]
        worse = [one for one in self.report.rows if one.extra and one.plan == last]
        curves = [
            (f"{one.objective} +{points(one.extra)}", Scenario(last, one.objective, one.extra))
            for one in worse
        ]
        title = f"Regressions aborted, in % of the releases, by minutes ({last})"
        yield self._by_time(title, Ending.ABORTED, curves)

    def _panel(self, title: str, x: Point, y: Point, *, log_y: bool = False) -> Panel:
        """The next one down the page."""
        top = _TOP + self._used * (_HEIGHT + _GAP)
        self._used += 1
        return Panel(title, (_LEFT, top), _PANEL, x, y, log_y=log_y)

    def _by_hour(self, title: str, y: Point, *, log_y: bool = False) -> Panel:
        history = self.report.history
        panel = self._panel(title, (0, history.hours), y, log_y=log_y)
        panel.x_ticks = _days(history)
        return panel

    def _traffic(self) -> Panel:
        history = self.report.history
        rate = _hourly(history, history.traffic) / HOUR
        high = _above(float(rate.max(initial=0)))
        panel = self._by_hour("Requests per second, by hour", (0, high))
        panel.y_ticks = _quarters(high, "{:.3g}")
        panel.line(_steps(rate), COLOURS[0], "requests/s")
        for hour in sorted(set(range(history.hours)) - set(history.usable.tolist())):
            panel.mark(hour + 0.5, svg.INK, "not replayed")
        return panel

    def _failures(self) -> Panel:
        history, burnt = self.report.history, {}
        for one in self.report.plans[GIVEN].objectives:
            tally = history.tallies[one.name]
            allowed = float(one.budget) * _hourly(history, tally.total)
            bad = _hourly(history, tally.bad)
            nothing = np.full(len(bad), np.nan)
            burnt[one.name] = np.divide(bad, allowed, out=nothing, where=allowed > 0)
        high = 1.2 * max(float(np.nanmax(rate, initial=0)) for rate in burnt.values())
        high = max(10.0, high)
        title = (
            "Burn rate by hour (1 spends the budget), and where an identical version was aborted"
        )
        panel = self._by_hour(title, (_LEAST_BURN, high), log_y=True)
        panel.y_ticks = [(one, f"{one:g}") for one in (0.1, 1, 10, 100, 1000) if one <= high]
        for (name, rate), colour in zip(burnt.items(), COLOURS, strict=False):
            panel.line(_steps(rate), colour, name)
        colours = {GIVEN: _ALARM, ADVISED: svg.INK}
        for plan in self.report.plans:
            aborted = self.report.results.endings(Scenario(plan), Ending.ABORTED)
            for hour in sorted({one.hour for one in aborted}):
                panel.mark(hour + 0.5, colours[plan], f"aborted, {plan}")
        return panel

    def _clumps(self) -> Panel:
        advice = self.report.advice
        advised = advice.plan.question.policy.burst
        dots = {
            # At the block's last hour: of that one it is known that something was measured.
            f"{name}, {one.seconds} s": [(end - 0.5, phi) for _, end, phi in one.blocks]
            for name, windows in advice.findings.clumps.items()
            for one in windows
        }
        most = max((phi for seen in dots.values() for _, phi in seen), default=1.0)
        high = 1.2 * max(10.0, most, advised)
        title = "How much failures come in clumps (φ), by hour"
        panel = self._by_hour(title, (0.5, high), log_y=True)
        panel.y_ticks = [
            (one, f"{one:g}") for one in (0.5, 1, 2, 5, 10, 20, 50, 100) if one <= high
        ]
        for (name, seen), colour in zip(dots.items(), COLOURS, strict=False):
            panel.dots(seen, colour, name)
        edges = [(0.0, advised), (float(self.report.history.hours), advised)]
        panel.line(edges, _ALARM, f"burst {advised:g}, recommended", dashed=True)
        return panel

    def _by_time(self, title: str, ending: Ending, curves: Sequence[tuple[str, Scenario]]) -> Panel:
        results = self.report.results
        times = [
            [one.outcome.seconds / 60 for one in results.endings(scenario, ending)]
            for _, scenario in curves
        ]
        high = _above(max((max(seen) for seen in times if seen), default=1.0))
        panel = self._panel(title, (0, high), (0, 100))
        panel.x_ticks, panel.y_ticks = _quarters(high, "{:.3g}"), _quarters(100.0, "{:.0f} %")
        for index, (name, scenario) in enumerate(curves):
            curve, each = [(0.0, 0.0)], 100 / max(1, results.count(scenario))
            moments, counts = np.unique(times[index], return_counts=True)
            for minutes, ended in zip(moments.tolist(), counts.cumsum().tolist(), strict=True):
                curve += [(minutes, curve[-1][1]), (minutes, each * ended)]
            curve.append((high, curve[-1][1]))
            panel.line(curve, COLOURS[index % len(COLOURS)], name)
        return panel


def _hourly(history: History, counts: Array) -> Array:
    return counts.reshape(history.hours, history.per_hour).sum(axis=1)


def _steps(values: Array) -> list[Point]:
    """One level per hour; NaN where there is none."""
    return [point for hour, v in enumerate(values.tolist()) for point in ((hour, v), (hour + 1, v))]


def _days(history: History) -> Ticks:
    """Midnights (UTC), or the hours of a short history."""
    every = 24 if history.hours > 72 else 6 if history.hours > 12 else 1
    first = -(history.start // HOUR) % every
    hours = range(first, history.hours + 1, every)
    hours = hours[:: len(hours) // _MOST_DAYS + 1]
    begin, form = datetime.fromtimestamp(history.start, UTC), "%d %b" if every == 24 else "%H:%M"
    return [(hour, (begin + timedelta(hours=hour)).strftime(form)) for hour in hours]


def _above(value: float) -> float:
    """The next number of which a quarter is round."""
    if value <= 0:
        return 1.0
    unit = 10.0 ** floor(log10(value))
    return next(unit * times for times in (1, 2, 4, 6, 8, 10, 20) if unit * times >= value)


def _quarters(high: float, form: str) -> Ticks:
    return [(high * part / 4, form.format(high * part / 4)) for part in range(5)]
