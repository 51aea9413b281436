"""What a person meets who calls `sluice replay`: exit codes, and errors that name what to mend."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.commands import app
from cli.replay import command

ASKED = ("--service", "checkout", "--namespace", "shop", "--slo", "availability=99.9")


def replay(*options: str) -> Result:
    where = ("replay", "--prometheus", "http://127.0.0.1:9")
    return CliRunner().invoke(app, [*where, *(options or ASKED)])


def nothing(*_: object) -> None:
    """Ctrl-C while the first hours were read."""


def ctrl_c(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("run", [nothing, ctrl_c])
def test_ctrl_c_before_anything_is_known_is_said_in_a_line(
    run: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "run", run)
    found = replay()
    assert found.exit_code == 130
    assert found.stderr == "interrupted before there was anything to tell\n"
    assert found.stdout == ""


@pytest.mark.parametrize(
    ("variable", "named"),
    [
        ("SLUICE_PROMETHEUS_TOKENFILE", "SLUICE_PROMETHEUS_TOKENFILE: there is no such setting"),
        ("SLUICE_PROMETHEUS_TOKEN_FILE", "SLUICE_PROMETHEUS_TOKEN_FILE: /nowhere"),
    ],
)
def test_a_wrong_variable_is_named_before_prometheus_is_asked_without_credentials(
    variable: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "/nowhere")
    found = replay()
    assert found.exit_code == 2
    assert found.stderr.startswith(f"error: {named}")


def test_variables_that_are_no_settings_are_nobodys_business(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLUICE_TEAM", "payments")
    monkeypatch.setattr(command, "run", nothing)
    assert replay().exit_code == 130


def test_a_picture_is_not_written_under_the_name_of_another_kind(tmp_path: Path) -> None:
    found = replay(*ASKED, "--out", str(tmp_path / "x.png"))
    assert found.exit_code == 2
    assert found.stderr == (f"error: --out: {tmp_path}/x.png is an SVG: name it {tmp_path}/x.svg\n")


@pytest.mark.parametrize("name", ["x.SVG", "x"])
def test_a_picture_may_be_called_what_it_is_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(command, "run", nothing)
    assert replay(*ASKED, "--out", str(tmp_path / name)).exit_code == 130


@pytest.mark.parametrize("option", ["--service", "--namespace", "--slo", "--metrics"])
def test_a_question_leaves_no_room_for_options_that_would_be_ignored(
    tmp_path: Path, option: str
) -> None:
    file = tmp_path / "question.json"
    file.write_text("{}")
    found = replay("--question", str(file), option, "spring")
    assert found.exit_code == 2
    assert found.stderr.startswith("error: --question: says it all: leave --service")
