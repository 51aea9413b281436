"""`make bench-verdicts`: thousands of simulated releases per row, with the real judge."""

import argparse
import multiprocessing
import os
import signal
import sys
import time
from collections import defaultdict

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.verdicts import report
from benchmarks.verdicts.scenarios import Row, rows
from benchmarks.verdicts.simulate import Chunk, Results, chunks, joined, run
from benchmarks.verdicts.sluice import OBJECTIVE, SERVICE
from plugin.policy import Policy
from plugin.statistics.limits import Limits

RELEASES = 2000
SEED = 20_240_601


def main() -> int:
    """0 if all promises were kept, 1 if not, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="verdicts", description=__doc__)
    parser.add_argument("--releases", type=int, default=RELEASES, help="per row and version")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if options.releases < 1:
        parser.error("--releases: simulate at least one release")
    console = Console(width=150 if not sys.stdout.isatty() else None)
    limits = Limits.of(OBJECTIVE, SERVICE, Policy())
    console.print(
        f"{options.releases} releases per row and version, one hour each, seed {options.seed}. "
        f"Objective {float(OBJECTIVE.target):.1%}; judge and oracle: fail margin "
        f"{100 * limits.fail_margin:g} pp at level {limits.fail_level:g}.\n"
        "missed: promoted; held: undecided after the hour; caught: seconds of counts until half "
        "(9 of 10) of all were aborted; failed: requests that the version failed in the hour.\n"
    )
    started = time.monotonic()
    try:
        measured = _measure(
            console, list(chunks(options.releases, options.seed)), options.processes
        )
    except KeyboardInterrupt:
        console.print("interrupted")
        return 130
    promises = list(report.promises(measured))
    report.show_promises(console, promises)
    console.print(f"{time.monotonic() - started:.0f} s with {options.processes} processes")
    return 0 if all(promise.kept for promise in promises) else 1


def _measure(
    console: Console, work: list[Chunk], processes: int
) -> dict[Row, dict[str, list[Results]]]:
    """Show each row as soon as its last release is decided."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    found: dict[str, dict[int, list[Results]]] = defaultdict(lambda: defaultdict(list))
    measured: dict[Row, dict[str, list[Results]]] = {}
    listed = list(rows())
    with (
        multiprocessing.Pool(processes, initializer=_in_the_background) as pool,
        Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress,
    ):
        task = progress.add_task("", total=sum(chunk.releases for chunk in work))
        for number, (chunk, results) in enumerate(zip(work, pool.imap(run, work), strict=True)):
            row = listed[chunk.row]
            for judge, one in results.items():
                found[judge][chunk.version].append(one)
            progress.update(task, advance=chunk.releases, description=row.name)
            if number + 1 == len(work) or work[number + 1].row != chunk.row:
                measured[row] = {
                    judge: [joined(versions[one]) for one in sorted(versions)]
                    for judge, versions in found.items()
                }
                report.show(console, row, measured[row])
                found.clear()
    return measured


def _in_the_background() -> None:
    """Yield to all else, and leave Ctrl-C to the process that waits."""
    os.nice(10)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
