"""How far a replay has come, for a person who waits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Tick = Callable[[], None]
"""To be called at each step that is done."""


@contextmanager
def progress(what: str, unit: str, total: int) -> Iterator[Tick]:
    """A bar on a terminal, a line at every tenth elsewhere; both on standard error."""
    console = Console(stderr=True)
    if console.is_terminal:
        columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
        with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
            task = bar.add_task(what, total=total)
            yield lambda: bar.advance(task)
        return
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if done * 10 // total > (done - 1) * 10 // total:
            typer.echo(f"{what}: {done} of {total} {unit}", err=True)

    yield tick
