"""What a person meets who calls `sluice replay`: exit codes, and errors that name what to mend."""

import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from cli.replay import command

ASKED = ("--service", "checkout", "--namespace", "shop", "--slo", "availability=99.9")


def replay() -> Result:
    return CliRunner().invoke(app, ["replay", "--prometheus", "http://127.0.0.1:9", *ASKED])


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
