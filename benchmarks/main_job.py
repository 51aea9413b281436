"""How fast the main job is against what we promise: `make bench`.

Runs on a sandbox of its own: three warm starts, then the whole demo, and prints each figure with
its ratio to the promise (1.0 or less keeps it).
"""

import json
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import yaml
from rich.console import Console
from rich.table import Table

from cli.demo import target
from cli.demo.command import run
from components.manifests.flagger import SHORTEST_INTERVAL
from plugin.slo.units import parse_duration
from sandbox import lifecycle
from sandbox.layout import ROOT, Layout

STARTS = 3
START_SECONDS = 20
DEMO_SECONDS = 8 * 60
ARGO_SLACK_SECONDS = 2
FLAGGER_TICKS = 2


@dataclass(frozen=True)
class Figure:
    what: str
    measured: float
    promised: float
    unit: str


def main() -> int:
    layout = Layout("bench")
    try:
        figures = [_start(layout), *_demo(layout)]
    finally:
        lifecycle.down(layout, lambda _: None)
    table = Table("figure", "measured", "promised", "ratio", box=None)
    for figure in figures:
        ratio = f"{figure.measured / figure.promised:.2f}" if figure.promised else "-"
        table.add_row(
            figure.what,
            f"{figure.measured:.1f} {figure.unit}",
            f"{figure.promised:.1f} {figure.unit}",
            ratio,
        )
    Console().print(table)
    return 0 if all(figure.measured <= figure.promised for figure in figures) else 1


def _start(layout: Layout) -> Figure:
    lifecycle.up(layout, print)
    seconds = []
    for _ in range(STARTS):
        lifecycle.down(layout, lambda _: None)
        started = time.monotonic()
        lifecycle.up(layout, lambda _: None)
        seconds.append(time.monotonic() - started)
    return Figure("warm sandbox start, median of 3", statistics.median(seconds), START_SECONDS, "s")


def _demo(layout: Layout) -> Iterator[Figure]:
    run(layout, target.sandbox(layout, print))
    found = json.loads((layout.sandbox / "demo.json").read_text())
    yield Figure("warm demo", found["seconds"], DEMO_SECONDS, "s")
    limits = {
        "argo": _analysis_interval() + ARGO_SLACK_SECONDS,
        "flagger": FLAGGER_TICKS * SHORTEST_INTERVAL,
    }
    for release in found["releases"]:
        name = f"{release['controller']} {release['tag']}"
        if release["reaction"] is not None:
            limit = limits[release["controller"]]
            yield Figure(f"{name}: first fail to weight 0", release["reaction"], limit, "s")
        elif not release["incident"]:
            yield Figure(f"{name}: requests lost in a good release", release["lost"], 0, "")


def _analysis_interval() -> float:
    config = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]
    return parse_duration(config["sluice:analysisInterval"]).total_seconds()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
