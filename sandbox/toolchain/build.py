"""Builds what is missing or outdated, atomically: an interrupted build leaves no half binary."""

import hashlib
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.toolchain import go
from sandbox.toolchain.crds import collect
from sandbox.toolchain.tools import TOOLS, Edit, Tool

MODULES = Path(__file__).parent / "modules"
HEARTBEAT_SECONDS = 20

Report = Callable[[str], None]


def build(layout: Layout, report: Report) -> None:
    """Make every binary and CRD of the sandbox exist, built from the pinned modules.

    `report` receives one line per step, and one every 20 seconds while a step runs.
    """
    missing = [tool for tool in TOOLS if not _is_built(layout, tool)]
    if missing:
        report(
            f"Building {len(missing)} of {len(TOOLS)} tools from source, once: "
            f"about {sum(tool.minutes for tool in missing)} minutes on two cores."
        )
    for number, tool in enumerate(missing, start=1):
        names = ", ".join(tool.packages)
        step = f"[{number}/{len(missing)}] {names} (about {tool.minutes} min)"
        with _progress(step, report):
            _build(layout, tool)
    collect(layout, MODULES, _digest(MODULES.glob("*/go.sum")))


def _build(layout: Layout, tool: Tool) -> None:
    variables = " ".join(f"-X {name}={value}" for name, value in tool.variables.items())
    fresh = layout.binaries / f".{tool.module}"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    edited = _edited(layout, tool, tool.loopback, fresh) if tool.loopback else []
    for name, package in tool.packages.items():
        go.run(
            layout,
            MODULES / tool.module,
            *("build", "-trimpath", "-buildvcs=false", "-ldflags", f"-s -w {variables}"),
            *(*edited, "-o", str(fresh / name), package),
        )
    for name in tool.packages:
        (fresh / name).replace(layout.binaries / name)
    shutil.rmtree(fresh)
    _stamp(layout, tool).write_text(_recipe(tool))


def _edited(layout: Layout, tool: Tool, edit: Edit, folder: Path) -> list[str]:
    """Go's flag that builds from a copy of the upstream module with the one text replaced."""
    source = MODULES / tool.module
    copy = folder / "module"
    shutil.copytree(go.module_folder(layout, source, edit.module), copy, copy_function=_writable)
    file = copy / edit.file
    text = file.read_text()
    if text.count(edit.old) != 1:
        raise SandboxError(
            f"{edit.module} changed: {edit.file} no longer has the line that binds every "
            f"interface. Adapt its `Edit` in sandbox/toolchain/tools.py."
        )
    file.write_text(text.replace(edit.old, edit.new))
    replaced = f"{(source / 'go.mod').read_text()}\nreplace {edit.module} => {copy}\n"
    (folder / "edited.mod").write_text(replaced)
    shutil.copyfile(source / "go.sum", folder / "edited.sum")
    return [f"-modfile={folder / 'edited.mod'}"]


def _writable(source: str, target: str) -> None:
    """Copy without the module cache's read-only mode."""
    shutil.copyfile(source, target)


def _is_built(layout: Layout, tool: Tool) -> bool:
    stamp = _stamp(layout, tool)
    binaries = [layout.binaries / name for name in tool.packages]
    return (
        stamp.exists()
        and stamp.read_text() == _recipe(tool)
        and all(binary.exists() for binary in binaries)
    )


def _stamp(layout: Layout, tool: Tool) -> Path:
    return layout.binaries / f"{tool.module}.built"


def _recipe(tool: Tool) -> str:
    folder = MODULES / tool.module
    pins = _digest([folder / "go.mod", folder / "go.sum"])
    return json.dumps({"pins": pins, **asdict(tool)})


def _digest(files: Iterator[Path] | list[Path]) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()


@contextmanager
def _progress(step: str, report: Report) -> Iterator[None]:
    """Says that a long step goes on, so that nobody takes it for a hang."""
    report(f"{step} …")
    started, finished = time.monotonic(), threading.Event()

    def beat() -> None:
        while not finished.wait(HEARTBEAT_SECONDS):
            report(f"{step} … {time.monotonic() - started:.0f} s")

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()
    report(f"{step} built in {time.monotonic() - started:.0f} s")
