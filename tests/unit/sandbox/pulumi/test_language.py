"""A program runs as `__main__`, and its errors reach a person as the SDK shows them."""

import sys

import pytest
from pulumi import RunError
from pulumi.runtime.proto import language_pb2

from sandbox.pulumi.language import run_program


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a program's text in a project of its own."""
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setattr(sys, "argv", sys.argv.copy())

    def run_text(text, entry_point=".", virtualenv=sys.prefix):
        (tmp_path / "__main__.py").write_text(text)
        info = language_pb2.ProgramInfo(
            root_directory=str(tmp_path),
            program_directory=str(tmp_path),
            entry_point=entry_point,
        )
        info.options.update({"virtualenv": virtualenv})
        run_program(info)

    return run_text


def test_it_runs_as_main_with_its_folder_importable(run, tmp_path):
    (tmp_path / "neighbour_of_the_program.py").write_text("value = 1")
    run(
        "import pathlib, neighbour_of_the_program\n"
        "pathlib.Path(__file__).with_name('ran').write_text(__name__)"
    )
    assert (tmp_path / "ran").read_text() == "__main__"


def test_an_exception_shows_the_programs_frames_only(run, tmp_path):
    with pytest.raises(RunError) as failure:
        run("def broken():\n    return 1 / 0\nbroken()")
    text = str(failure.value)
    assert text.startswith("Program failed with an unhandled exception:\nTraceback")
    assert text.splitlines()[2] == f'  File "{tmp_path}/__main__.py", line 3, in <module>'
    assert "runpy" not in text
    assert text.rstrip().endswith("ZeroDivisionError: division by zero")


def test_an_error_for_people_stays_as_it_is(run):
    with pytest.raises(RunError, match=r"^checkout: field slo is missing$"):
        run("import pulumi\nraise pulumi.RunError('checkout: field slo is missing')")


def test_leaving_with_a_code_is_a_failure_and_without_is_none(run):
    run("raise SystemExit")
    with pytest.raises(RunError, match="non-zero exit code: 3"):
        run("raise SystemExit(3)")


def test_a_missing_program_is_named(run):
    with pytest.raises(RunError, match="other does not exist"):
        run("", entry_point="other")


def test_another_virtual_environment_is_refused(run):
    """It would run with packages the project did not ask for."""
    with pytest.raises(RunError, match="wants the virtual environment elsewhere"):
        run("", virtualenv="elsewhere")
