"""What is built is built once, again when its pins change, and never half."""

from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.toolchain import build as module
from sandbox.toolchain.go import environment
from sandbox.toolchain.tools import TOOLS, Edit, Tool

ETCD = next(tool for tool in TOOLS if tool.module == "etcd")


@pytest.fixture
def built(tmp_path: Path) -> Layout:
    layout = Layout(state=tmp_path)
    layout.binaries.mkdir()
    (layout.binaries / "etcd").touch()
    module._stamp(layout, ETCD).write_text(module._recipe(ETCD))
    return layout


def test_what_is_built_from_these_pins_is_not_built_again(built: Layout) -> None:
    assert module._is_built(built, ETCD)


def test_another_link_setting_builds_again(built: Layout) -> None:
    assert not module._is_built(built, replace(ETCD, variables={"main.version": "2"}))


def test_a_lost_binary_is_built_again(built: Layout) -> None:
    (built.binaries / "etcd").unlink()
    assert not module._is_built(built, ETCD)


def test_every_tool_is_pinned_with_checksums() -> None:
    for tool in TOOLS:
        folder = module.MODULES / tool.module
        assert (folder / "go.sum").stat().st_size
        for package in tool.packages.values():
            assert package in (folder / "go.mod").read_text()


def test_an_upstream_that_changed_its_listener_is_not_built_silently(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream = tmp_path / "upstream"
    upstream.mkdir()
    (upstream / "server.go").write_text("package server\n")
    monkeypatch.setattr(module.go, "module_folder", lambda *_: upstream)
    edit = Edit("example.com/server", "server.go", old='":" + port', new="port")
    tool = Tool("etcd", {}, minutes=1, loopback=edit)
    with pytest.raises(SandboxError, match="no longer has the line that binds every interface"):
        module._edited(Layout(state=tmp_path), tool, edit, tmp_path)


def test_a_missing_toolchain_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"There is no Go toolchain.*`make setup`"):
        module.go.run(Layout(state=tmp_path), module.MODULES / "etcd", "version")


def test_go_writes_only_into_the_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOMODCACHE", "GOCACHE"):
        monkeypatch.delenv(name, raising=False)
    variables = environment(Layout(state=tmp_path))
    for name in ("GOMODCACHE", "GOCACHE", "GOTMPDIR", "HOME"):
        assert Path(variables[name]).is_relative_to(tmp_path)
