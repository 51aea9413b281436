"""Judge and Prometheus under the same load, in one run: `make bench-judge`.

The machine may be shared and noisy, so only ratios within one run mean something: each is the
median over rounds in which Prometheus and the judge take turns. Prometheus has a processor to
itself, as it has in a cluster; judge and load tool have another. On the same ones a ratio of rates
would only say how dear the query is beside the judge's own work, which the processor time says: it
is that of the process that was asked, per answer.

How dear a query is goes by how many pods call the service. Within a second 64 different ones have
to be answered for a small service; for a large one Prometheus alone cannot, so the slowest is
compared with its own.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.judge.computing import INDICATORS, INTERVALS, computing_seconds
from benchmarks.judge.load import Load, Request, load, once
from benchmarks.judge.process import (
    cpu_seconds,
    resident_megabytes,
    running,
    two_processors,
)
from benchmarks.judge.prometheus import LARGE, SCRAPE_SECONDS, SMALL, Service, prometheus
from benchmarks.judge.questions import (
    RELEASES,
    Asked,
    Recorder,
    echoing,
    to_judge,
    to_prometheus,
)

BINARIES = Path(__file__).parents[2] / ".sluice" / "bin"
ROUNDS, SECONDS = 5, 8.0


@dataclass(frozen=True)
class Scene:
    in_flight: int
    service: Service
    intervals: int
    asked: Asked

    def __str__(self) -> str:
        return f"{self.in_flight} in flight, {self.asked}, {self.service}, {self.intervals} scrapes"

    def to_judge(self, url: str) -> Iterator[Request]:
        return to_judge(url, self.service, self.intervals, self.asked)


FIRST = Scene(1, LARGE, 240, Asked.FIRST)
FIRSTS = Scene(8, LARGE, 240, Asked.FIRST)
FIRST_CROWD = Scene(64, SMALL, 40, Asked.FIRST)
LARGE_CROWD = Scene(64, LARGE, 40, Asked.FIRST)
ALONE = Scene(1, LARGE, 240, Asked.AGAIN)
BUSY = Scene(8, LARGE, 240, Asked.AGAIN)
CROWD = Scene(64, SMALL, 40, Asked.AGAIN)
CHORUS = Scene(64, LARGE, 240, Asked.SAME)
SCENES = (FIRST, FIRSTS, FIRST_CROWD, LARGE_CROWD, ALONE, BUSY, CROWD, CHORUS)


@dataclass(frozen=True)
class Turn:
    """What one of the two did, and the processor seconds that an answer took it."""

    load: Load
    cpu: float


@dataclass(frozen=True)
class Round:
    prometheus: Turn
    judge: Turn


def main() -> int:
    console = Console(width=132)
    theirs, ours = two_processors()
    os.sched_setaffinity(0, {ours})
    with (
        tempfile.TemporaryDirectory() as folder,
        prometheus(BINARIES, Path(folder), theirs) as (url, pid),
    ):
        console.print(f"Prometheus has {SMALL.series} and {LARGE.series} series of two services.")
        forms = {scene: asyncio.run(_form(scene, ours)) for scene in SCENES}
        tool = asyncio.run(_tool(url, forms[CHORUS]))
        with _judge(url, ours) as (judge_url, judge_pid):
            rounds: dict[Scene, list[Round]] = {}
            for scene in SCENES:
                if scene.asked is Asked.AGAIN:
                    asyncio.run(once(scene.to_judge(judge_url), RELEASES))
                rounds[scene] = [
                    Round(
                        _turn(to_prometheus(url, forms[scene], scene.asked), scene, pid),
                        _turn(scene.to_judge(judge_url), scene, judge_pid),
                    )
                    for _ in range(ROUNDS)
                ]
            memory = resident_megabytes(judge_pid)
    console.print(_loads(rounds))
    console.print(f"The load tool alone sends {tool:.0f} such queries per second.")
    figures = [*_figures(rounds), _computing(), Figure("resident memory, MB", memory, most=120)]
    table = Table("figure", "measured", "target", "", box=None)
    for one in figures:
        table.add_row(one.what, f"{one.measured:.2f}", one.target, "✔" if one.kept else "✘")
    console.print(table)
    return 0 if all(one.kept for one in figures) else 1


@dataclass(frozen=True)
class Figure:
    what: str
    measured: float
    least: float = float("-inf")
    most: float = float("inf")

    @property
    def target(self) -> str:
        return f"≥ {self.least:g}" if self.most == float("inf") else f"≤ {self.most:g}"

    @property
    def kept(self) -> bool:
        return self.least <= self.measured <= self.most


def _figures(rounds: dict[Scene, list[Round]]) -> Iterator[Figure]:
    for scene in (FIRSTS, FIRST_CROWD, LARGE_CROWD, BUSY, CROWD, CHORUS):
        rate = _ratio(rounds[scene], lambda one: one.rate)
        least = 1 if scene.asked is Asked.SAME else 0.9
        yield Figure(f"rate / Prometheus' own: {scene}", rate, least=least)
    unanswered = sum(one.judge.load.failed for turns in rounds.values() for one in turns)
    yield Figure("questions to the judge that were not answered", unanswered, most=0)
    for scene in (FIRST, ALONE):
        median = _ratio(rounds[scene], lambda one: one.median)
        yield Figure(f"median / the raw query's: {scene}", median, most=1.25)
    slowest = _ratio(rounds[LARGE_CROWD], lambda one: one.p99)
    yield Figure(f"p99 / Prometheus' own: {LARGE_CROWD}", slowest, most=1.25)
    for scene in (FIRST_CROWD, CROWD, CHORUS):
        slowest = statistics.median(one.judge.load.p99 for one in rounds[scene])
        yield Figure(f"p99, s: {scene}", slowest, most=1)


def _ratio(rounds: Sequence[Round], of: Callable[[Load], float]) -> float:
    return statistics.median(of(one.judge.load) / of(one.prometheus.load) for one in rounds)


def _computing() -> Figure:
    what = f"computing, ms: {INTERVALS} intervals, {INDICATORS} indicators"
    return Figure(what, computing_seconds() * 1000, most=5)


def _loads(rounds: dict[Scene, list[Round]]) -> Table:
    columns = ("rate, 1/s", "median, ms", "p99, ms", "unanswered", "processor, ms")
    table = Table("load", "on", *columns, box=None)
    for scene, turns in rounds.items():
        _row(table, str(scene), "Prometheus", [one.prometheus for one in turns])
        _row(table, "", "judge", [one.judge for one in turns])
    return table


def _row(table: Table, scene: str, name: str, turns: Sequence[Turn]) -> None:
    def median(of: Callable[[Turn], float], unit: float = 1.0) -> str:
        return f"{statistics.median(map(of, turns)) * unit:.4g}"

    table.add_row(
        scene,
        name,
        median(lambda one: one.load.rate),
        median(lambda one: one.load.median, 1000),
        median(lambda one: one.load.p99, 1000),
        f"{sum(one.load.failed for one in turns)}",
        median(lambda one: one.cpu, 1000),
    )


def _turn(requests: Iterator[Request], scene: Scene, pid: int) -> Turn:
    before = cpu_seconds(pid)
    result = asyncio.run(load(requests, scene.in_flight, SECONDS))
    return Turn(result, (cpu_seconds(pid) - before) / (len(result.latencies) + result.failed))


async def _form(scene: Scene, processor: int) -> dict[str, str]:
    """The query that the judge makes of the scene's questions now."""
    recorder = Recorder()
    async with recorder.serving() as url:
        await asyncio.to_thread(_ask_once, url, scene, processor)
    return recorder.form


def _ask_once(url: str, scene: Scene, processor: int) -> None:
    with _judge(url, processor) as (judge_url, _):
        _post(next(replace(scene, asked=Asked.SAME).to_judge(judge_url)))


async def _tool(url: str, form: dict[str, str]) -> float:
    """Answers per second of a server that only repeats one of Prometheus' answers."""
    answer = await asyncio.to_thread(_post, next(to_prometheus(url, form, Asked.SAME)))
    async with echoing(answer) as echo:
        return (await load(to_prometheus(echo, form, Asked.SAME), 64, 3.0)).rate


def _post(request: Request) -> bytes:
    headers = {"Content-Type": request.content_type}
    posted = urllib.request.Request(request.url, request.body, headers)  # noqa: S310 loopback
    with urllib.request.urlopen(posted, timeout=60) as response:  # noqa: S310
        return response.read()


def _judge(prometheus_url: str, processor: int) -> AbstractContextManager[tuple[str, int]]:
    """A judge of that Prometheus: its URL and process id."""
    environment = {
        "HOST": "127.0.0.1",
        "PORT": "{port}",
        "SLUICE_PROMETHEUS_URL": prometheus_url,
        "SLUICE_SCRAPE_INTERVAL": str(SCRAPE_SECONDS),
    }
    return running([sys.executable, "-m", "plugin"], environment, "/readyz", processor)


if __name__ == "__main__":
    sys.exit(main())
