"""Ctrl-C is said in a line from the first moment on, also while modules are imported."""

import subprocess
import sys
from importlib.abc import MetaPathFinder

import pytest

from cli.app import main


class CtrlC(MetaPathFinder):
    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname == "cli.commands":
            raise KeyboardInterrupt


def test_ctrl_c_during_the_imports_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "cli.commands", raising=False)
    monkeypatch.setattr(sys, "meta_path", [CtrlC(), *sys.meta_path])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_what_takes_long_to_import_is_left_to_the_moment_when_ctrl_c_is_awaited() -> None:
    seen = "import cli.app, sys; print({'typer', 'pydantic', 'numpy'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"
