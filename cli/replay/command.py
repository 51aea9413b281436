"""`sluice replay`: its options, what it prints and the files that it writes."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from cli.app import INTERRUPTED
from cli.replay import inputs, picture, report
from cli.replay.document import document
from cli.replay.errors import InputError, ReplayError
from cli.replay.inputs import Request
from cli.replay.plan import Plan
from cli.replay.run import run
from plugin.settings import Settings, misspelt, problems


def replay(
    *,
    prometheus: Annotated[str, typer.Option(help="Prometheus: what stands before /api/v1")],
    service: Annotated[str, typer.Option(help="the service's name")] = "",
    namespace: Annotated[str, typer.Option(help="its namespace")] = "",
    slo: Annotated[str, typer.Option(help="such as availability=99.9,latency=95@250ms")] = "",
    metrics: Annotated[
        str, typer.Option(help="istio (the default), spring, prom-client or nginx")
    ] = "",
    question: Annotated[
        Path | None, typer.Option(help="instead of these: a file with the JSON sent to the judge")
    ] = None,
    since: Annotated[str, typer.Option(help="how much of the past, 2h to 90d")] = "7d",
    stages: Annotated[
        str | None, typer.Option(help="WEIGHT:TIME of each stage [10:30m,30:30m,60:60m]")
    ] = None,
    policy: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE of the judge's policy")
    ] = None,
    inject: Annotated[
        str | None,
        typer.Option(help="extra failures in percentage points, as 0.2,0.9 [1, 3, 10 budgets]"),
    ] = None,
    scrape_interval: Annotated[str, typer.Option(help="how often Prometheus scrapes")] = "15s",
    analysis_interval: Annotated[str, typer.Option(help="the time between two looks")] = "30s",
    out: Annotated[Path | None, typer.Option(help="draw the result to this SVG file")] = None,
    json_: Annotated[Path | None, typer.Option("--json", help="write it as JSON, too")] = None,
    seed: Annotated[int, typer.Option(min=0, help="of the random splits")] = 1,
) -> None:
    """Replay a release policy over a service's past and recommend a better one.

    Each past hour becomes a release of an identical version, and of versions that fail more. The
    history is what Prometheus holds of the service; nothing is written there.
    """
    try:
        if question:
            if service or namespace or slo or metrics:
                raise InputError(
                    "--question",
                    "says it all: leave --service, --namespace, --slo and --metrics out",
                )
            asked = inputs.question_in(_text(question), policy or ())
        else:
            asked = inputs.question_of(service, namespace, slo, metrics or "istio", policy or ())
        settings = _settings(prometheus)
        plan = Plan(
            asked,
            inputs.stages_of(stages, asked),
            inputs.parse_interval("--scrape-interval", scrape_interval, 300),
            inputs.parse_interval("--analysis-interval", analysis_interval, 3600),
            settings.istio_reporter,
        )
        request = Request(plan, inputs.parse_since(since), inputs.parse_extras(inject, plan))
        if out and out.suffix.lower() not in {"", ".svg"}:
            raise InputError("--out", f"{out} is an SVG: name it {out.with_suffix('.svg')}")
        for option, path in (("--out", out), ("--json", json_)):
            if path and not _writable(path):
                raise InputError(option, f"{path} cannot be written: name another file")
        if out and json_ and out.resolve() == json_.resolve():
            raise InputError("--json", f"{json_} is where --out is drawn: name another file")
        found = run(request, settings, seed)
    except ReplayError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2 if isinstance(error, InputError) else 1) from None
    except KeyboardInterrupt:
        found = None
    if found is None:
        typer.echo("interrupted before there was anything to tell", err=True)
        raise typer.Exit(INTERRUPTED)
    report.write(Console(), found)
    written = [
        out is None or _write("--out", out, picture.draw(found)),
        json_ is None or _write("--json", json_, json.dumps(document(found), indent=1)),
    ]
    if not all(written):
        raise typer.Exit(1)
    raise typer.Exit(INTERRUPTED if found.interrupted else 0)


def _writable(path: Path) -> bool:
    """As far as that can be known before there is anything to write."""
    there = path if path.exists() else path.absolute().parent
    return not path.is_dir() and os.access(there, os.W_OK)


def _write(option: str, path: Path, text: str) -> bool:
    """Whether that worked. What took minutes to find out is not given up for one of two files."""
    try:
        path.write_text(text)
    except OSError as error:
        typer.echo(f"error: {option}: {path}: {error.strerror}: name another file", err=True)
        return False
    typer.echo(f"Written: {path}")
    return True


def _settings(url: str) -> Settings:
    """The judge's own, from the same environment: how Prometheus is told who asks."""
    if wrong := next(misspelt(os.environ), None):
        raise _wrong(wrong)
    try:
        return Settings(prometheus_url=url)  # pyright: ignore[reportArgumentType] pydantic reads it
    except ValidationError as error:
        raise _wrong(next(problems(error))) from None


def _wrong(line: str) -> InputError:
    """What the judge says of one of its variables; the address is an option here."""
    variable, _, message = line.partition(": ")
    option = "--prometheus" if variable == "SLUICE_PROMETHEUS_URL" else variable
    return InputError(option, message)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise InputError("--question", f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError("--question", f"{path} is no text") from None
