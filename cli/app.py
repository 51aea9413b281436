"""The root command. Every group of commands is a module of its own."""

import sys

import typer

from cli import sandbox as sandbox_commands
from cli.demo.command import demo
from cli.replay.command import replay
from sandbox.errors import SandboxError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(sandbox_commands.app, name="sandbox")
app.command()(demo)
app.command()(replay)


@app.callback()
def sluice() -> None:
    """SLO-gated progressive delivery on Kubernetes."""


def main() -> None:
    """Run the command; an error that a person must act on is shown without a traceback."""
    try:
        app()
    except SandboxError as error:
        sys.exit(f"error: {error}")
