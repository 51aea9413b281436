"""The tables: per row all judges side by side, and what was promised beside what was measured."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf, isfinite

from rich.console import Console
from rich.table import Table

from benchmarks.verdicts.competitors import COMPETITORS
from benchmarks.verdicts.scenarios import Row
from benchmarks.verdicts.simulate import SLUICE, Results, oracle

MOST_FALSE_ABORTS = 0.01
TRUSTED = 0.05
"""Alternatives with more false aborts than this in a row are no alternative in that row."""
CATCH_SECONDS = 60.0
TIMES_ORACLE = 1.5

Measured = Mapping[str, list[Results]]
"""By judge, one per version of a row."""


@dataclass(frozen=True)
class Promise:
    what: str
    measured: str
    kept: bool


def show(console: Console, row: Row, measured: Measured) -> None:
    """One row, as soon as it is done."""
    table = Table(box=None, header_style="bold", title_justify="left", title_style="bold")
    table.title = f"{row.name}: {row.about}"
    table.add_column("an equal version and two regressions", no_wrap=True)
    columns = ["equal:\naborted", "\nheld"]
    for extra in row.extra:
        columns += [f"+{100 * extra:g} pp:\nmissed", "\nheld", "caught\np50", "\np90", "\nfailed"]
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for judge, (equal, *regressions) in measured.items():
        cells = [_share(equal.aborted), _share(equal.undecided)]
        for found in regressions:
            cells += [
                _share(found.promoted),
                _share(found.undecided),
                _seconds(found.within(0.5)),
                _seconds(found.within(0.9)),
                f"{found.failed.mean():.1f}",
            ]
        table.add_row(judge, *cells, style="bold" if judge == SLUICE else None)
    bounds = [("", "", _seconds(oracle(row, extra)), "", "") for extra in row.extra]
    table.add_row(
        "an oracle that knew both rates", "", "", *(cell for bound in bounds for cell in bound)
    )
    console.print(table, "")


def promises(measured: Mapping[Row, Measured]) -> Iterator[Promise]:
    """What issue and docs promise, for every row in which the policy fits the service."""
    fitting = {row: found for row, found in measured.items() if row.fits}
    worst = max(fitting, key=lambda row: fitting[row][SLUICE][0].aborted)
    share = fitting[worst][SLUICE][0].aborted
    yield Promise(
        f"false aborts at most {MOST_FALSE_ABORTS:.0%} in every row",
        f"{_share(share)} ({worst.name})",
        share <= MOST_FALSE_ABORTS,
    )
    row, found = next(iter(measured.items()))
    median, bound = found[SLUICE][1].within(0.5), oracle(row, row.extra[0])
    yield Promise(
        f"{row.name}, 0.1 → 1 % caught within {CATCH_SECONDS:g} s at the median",
        _seconds(median),
        median <= CATCH_SECONDS,
    )
    yield Promise(
        f"… and within {TIMES_ORACLE:g} times the oracle's {_seconds(bound)}",
        f"{median / bound:.2f} times",
        median <= TIMES_ORACLE * bound,
    )
    for row, found in fitting.items():
        for version, extra in enumerate(row.extra, start=1):
            median = found[SLUICE][version].within(0.5)
            rival, best = _best_rival(found, version)
            if median == best == inf:
                continue  # nobody catches this one within the hour
            yield Promise(
                f"{row.name}, +{100 * extra:g} pp: before each alternative below "
                f"{TRUSTED:.0%} false aborts",
                f"{_seconds(median)}; {rival or 'none'} {_seconds(best)}",
                median < best,
            )


def show_promises(console: Console, found: list[Promise]) -> None:
    table = Table("", "promised", "measured", box=None, header_style="bold")
    for promise in found:
        mark = "[green]✔[/]" if promise.kept else "[red]✘[/]"
        table.add_row(mark, promise.what, promise.measured)
    console.print(table)


def _best_rival(found: Measured, version: int) -> tuple[str, float]:
    """The fastest alternative that can be trusted in this row, and its median."""
    rivals = {
        judge: results[version].within(0.5)
        for judge, results in found.items()
        if judge in COMPETITORS and results[0].aborted < TRUSTED
    }
    best = min(rivals, key=rivals.__getitem__, default="")
    return best, rivals.get(best, inf)


def _share(share: float) -> str:
    return f"{100 * share:.2f} %" if 0 < share < 0.1 else f"{100 * share:.0f} %"


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if isfinite(seconds) else "never"
