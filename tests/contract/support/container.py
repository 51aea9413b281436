"""Podman with all that it keeps in the clone: builds the judge's image and runs a container of it.

No registry is asked. The base is made of Debian's packages and has what `python:3.13-slim` has as
far as the Containerfile is concerned: the same Debian, Python of the same version, pip, and the
system's certificates.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
STATE = ROOT / ".sluice" / "image"
TOOLS = ("podman", "runc", "mmdebstrap")
DEBIAN = "trixie"
BASE, IMAGE = f"localhost/sluice/python:{DEBIAN}", "localhost/sluice/judge:test"
PACKAGES = ("ca-certificates", "python3", "python3-pip", "python-is-python3")
UNUSED = ("doc", "locale", "man")
"""Folders of /usr/share that Debian's slim images leave out."""

MACHINE = ("/etc/pip.conf", "/etc/ssl/certs")
"""How this machine reaches its package index. Seen while building, and not in the image."""

LIMITS = [f"--ulimit={limit}=1024:1024" for limit in ("nofile", "nproc")]
"""Podman would raise them, which takes a right that root need not have."""

LIFETIME_SECONDS = 600
"""After that a container goes, also when the test that started it was killed."""


def missing() -> str | None:
    """What this machine lacks to build and run an image, and what to do about it."""
    absent = [tool for tool in TOOLS if not shutil.which(tool)]
    if absent:
        return f"no {', '.join(absent)} on this machine: `make engine` installs them (Debian, root)"
    if os.geteuid() != 0:
        return "building and running an image as here needs root"
    try:
        _run_nothing()
    except AssertionError as error:
        return f"no container runs on this machine: {error}"
    return None


@dataclass(frozen=True)
class Container:
    """One that runs, and its first process as this machine sees it."""

    name: str
    pid: int

    def logs(self) -> str:
        return podman("logs", self.name, errors=subprocess.STDOUT)

    def stop(self, grace: int) -> int:
        """SIGTERM, and SIGKILL after `grace` seconds, as a kubelet does; the exit code."""
        podman("stop", "--time", str(grace), self.name)
        return inspect("container", self.name)["State"]["ExitCode"]


def podman(*arguments: str, errors: int = subprocess.PIPE) -> str:
    """`podman ARGUMENTS`; what it prints. Fails with all that it says."""
    # Not crun, which refuses machines that have both versions of control groups.
    fixed = ["--runtime=runc", "--cgroup-manager=cgroupfs", "--events-backend=file"]
    folders = [f"--{name}={STATE / name}" for name in ("root", "runroot", "tmpdir")]
    return _run("podman", *fixed, *folders, *arguments, errors=errors)


def _run(*command: str, errors: int = subprocess.PIPE) -> str:
    temporary = STATE / "temporary"
    temporary.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        command,
        env=os.environ | {"TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        check=False,
    )
    said = f"{done.stdout}{done.stderr or ''}"
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{said}"
    return done.stdout


def inspect(kind: str, name: str) -> dict[str, Any]:
    return json.loads(podman(kind, "inspect", name))[0]


def _run_nothing() -> None:
    """Makes the base, unless it is there from an earlier run, and runs it."""
    if BASE not in podman("images", "--format={{.Repository}}:{{.Tag}}"):
        _make_base()
    podman("run", "--rm", *LIMITS, "--network=host", BASE, "true")


def build() -> None:
    """The image, as plugin/Containerfile says; what is there from an earlier run is kept."""
    settings = [f"--volume={path}:{path}:ro" for path in MACHINE if Path(path).exists()]
    file, context = ROOT / "plugin" / "Containerfile", ROOT / "plugin"
    options = ["--network=host", *settings, "--build-arg", f"PYTHON={BASE}", "--tag", IMAGE]
    podman("build", *options, "--file", str(file), str(context))


def _make_base() -> None:
    file = STATE / "base.tar"
    left_out = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in UNUSED]
    packages = f"--include={','.join(PACKAGES)}"
    _run("mmdebstrap", "--quiet", "--variant=minbase", packages, *left_out, DEBIAN, str(file))
    podman("import", str(file), BASE)
    file.unlink()


@contextmanager
def running(options: Sequence[str]) -> Iterator[Container]:
    """A container of the image with these options."""
    name = "sluice-judge"
    always = ["--detach", "--replace", f"--name={name}", f"--timeout={LIFETIME_SECONDS}"]
    podman("run", *always, *LIMITS, "--network=host", *options, IMAGE)
    try:
        yield Container(name, inspect("container", name)["State"]["Pid"])
    finally:
        podman("rm", "--force", name)
