"""The state of the sandbox can be asked for without changing anything."""

from pathlib import Path

import pytest

from sandbox import lifecycle
from sandbox.errors import SandboxError
from sandbox.layout import Layout


def contents(folder: Path) -> dict[Path, tuple[str, int]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: (path.read_text(), path.stat().st_mtime_ns) for path in files}


def test_status_writes_no_file(tmp_path: Path):
    layout = Layout(state=tmp_path)
    lifecycle.parts(layout, layout.network())
    before = contents(tmp_path)
    assert {part.state for part in lifecycle.status(layout)} == {"stopped"}
    assert contents(tmp_path) == before


def test_before_the_first_start_status_says_so_and_makes_nothing(tmp_path: Path):
    with pytest.raises(SandboxError, match="Run `sluice sandbox up` first"):
        lifecycle.status(Layout(state=tmp_path))
    assert not list(tmp_path.iterdir())


def test_every_part_listens_in_the_sandboxs_own_network_and_none_at_anothers_port(tmp_path: Path):
    layout = Layout(state=tmp_path)
    network = layout.network()
    listens = [pair for part in lifecycle.parts(layout, network).all for pair in part.listens]
    assert len(set(listens)) == len(listens)
    assert all(address.startswith(f"127.{network.octet}.0.") for address, _ in listens)
