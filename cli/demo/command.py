"""`sluice demo`: sets up what it needs, runs the story, sums it up."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.demo import report, target
from cli.demo.run import Demo, failures
from cli.demo.stack import Stack
from cli.demo.story import RATE, SERVICES
from cli.demo.target import Target
from sandbox.layout import Layout
from sandbox.load.process import process as load_process
from sandbox.process import Processes
from sandbox.pulumi.cli import find_cli
from sandbox.toolchain.build import build


def demo(
    kubeconfig: Annotated[
        Path | None, typer.Option(help="another cluster that has the controllers and Istio")
    ] = None,
    gateway: Annotated[
        str | None, typer.Option(help="that cluster's ingress on loopback (a port-forward)")
    ] = None,
    prometheus: Annotated[
        str | None, typer.Option(help="that cluster's Prometheus, as its pods reach it")
    ] = None,
) -> None:
    """Release good and bad versions on both controllers; exit 0 if each ended as it should."""
    layout = Layout()
    if kubeconfig:
        if not gateway or not prometheus:
            raise typer.BadParameter("--kubeconfig needs --gateway and --prometheus as well.")
        build(layout, typer.echo)
        where = Target(kubeconfig, gateway, prometheus, proxy=None)
    else:
        where = target.sandbox(layout, typer.echo)
    raise typer.Exit(code=0 if run(layout, where) else 1)


def run(layout: Layout, where: Target) -> bool:
    """The story on `where`; whether every release ended as it should."""
    started = time.monotonic()
    cli = find_cli(layout.binaries, layout.pulumi, where.kubeconfig)
    processes = Processes(layout.sandbox)
    log = processes.log("pulumi")
    with log.open("w", buffering=1) as pulumi_log:
        stack = Stack(
            cli, layout.sandbox, where.prometheus, lambda line: print(line, file=pulumi_log)
        )
        typer.echo(f"Deploying the platform and both services (pulumi's output: {log})")
        stack.reset()
        state = layout.sandbox / "load.json"
        story = Demo(where, stack, lambda: failures(state), typer.echo)
        asyncio.run(story.first())
        rates = {f"{service}.local": RATE for service in SERVICES}
        load = load_process(where.gateway, rates, state)
        processes.ensure(load)
        try:
            results = asyncio.run(story.releases())
        finally:
            processes.stop(load.name)
    seconds = time.monotonic() - started
    report.write(layout.sandbox / "demo.json", results, seconds)
    typer.echo(report.summary(results))
    typer.echo(f"{seconds:.0f} s in all. As JSON: {layout.sandbox / 'demo.json'}")
    return all(found.as_it_should for found in results)
