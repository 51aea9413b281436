"""The root command. Every group of commands is a module of its own."""

import typer

from cli import sandbox as sandbox_commands
from cli.demo.command import demo
from cli.replay.command import replay

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(sandbox_commands.app, name="sandbox")
app.command()(demo)
app.command()(replay)


@app.callback()
def sluice() -> None:
    """SLO-gated progressive delivery on Kubernetes."""
