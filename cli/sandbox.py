"""`sluice sandbox …`: the local control plane, mesh, controllers and Prometheus."""

import os
import shlex
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sandbox import lifecycle
from sandbox.errors import SandboxError
from sandbox.layout import ROOT, Layout
from sandbox.process import Processes
from sandbox.pulumi.cli import STACK, find_cli
from sandbox.toolchain.build import build

app = typer.Typer(no_args_is_help=True, help="The sandbox: everything real on this machine.")
COLOURS = {"ready": "green", "not ready": "yellow", "stopped": "red"}


@app.command("build")
def build_() -> None:
    """Build the sandbox's binaries from their pinned sources, without starting them."""
    build(Layout(), typer.echo)


@app.command()
def up() -> None:
    """Build what is missing, start everything, wait until it is healthy."""
    started = time.monotonic()
    layout = Layout()
    network = lifecycle.up(layout, typer.echo)
    seconds = time.monotonic() - started
    typer.echo(f"The sandbox is up at 127.{network.octet}.0.0/16 after {seconds:.1f} s.")
    typer.echo(f"KUBECONFIG={layout.kubeconfig}")


@app.command()
def down() -> None:
    """Stop every process of this clone's sandboxes; binaries and data stay in .sluice."""
    for layout in Layout().instances():
        lifecycle.down(layout, typer.echo)


@app.command()
def status() -> None:
    """What runs and where it listens; exit code 1 unless all is ready."""
    found = lifecycle.status(Layout())
    table = Table("part", "state", "pid", "listens", box=None)
    for part in found:
        state = f"[{COLOURS[part.state]}]{part.state}[/]"
        table.add_row(part.name, state, str(part.pid or ""), part.listens)
    Console().print(table)
    raise typer.Exit(code=any(part.state != "ready" for part in found))


@app.command()
def env() -> None:
    """Shell lines that make the ordinary `pulumi` work here: eval "$(sluice sandbox env)"."""
    layout = Layout()
    if not layout.kubeconfig.exists():
        raise SandboxError("There is no sandbox yet. Run `sluice sandbox up` first.")
    cli = find_cli(layout.binaries, layout.pulumi, layout.kubeconfig)
    cli.select(ROOT, STACK)
    for name, value in cli.environment().items():
        if os.environ.get(name) != value:
            typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def logs(
    name: Annotated[str, typer.Argument(help="a part, as `sluice sandbox status` names it")],
    lines: Annotated[int, typer.Option(help="how many lines from the end")] = 50,
) -> None:
    """The end of a part's log."""
    log = Processes(Layout().sandbox).log(name)
    if not log.exists():
        known = ", ".join(sorted(path.stem for path in log.parent.glob("*.log")))
        raise SandboxError(f"There is no log of {name!r}. Known parts: {known or 'none yet'}.")
    for line in log.read_text(errors="replace").splitlines()[-lines:]:
        typer.echo(line)
