"""The Pulumi CLI on the sandbox: its environment, a stack whose state is a local folder."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sandbox.errors import SandboxError
from sandbox.pulumi import plugins

# The state of the local stack describes only the sandbox of this clone and is thrown away
# with it: the passphrase keeps its secrets out of sight, not out of reach.
STACK = "local"
PASSPHRASE = "sluice-local"  # noqa: S105

_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")
_ERROR_LINES = 25


@dataclass(frozen=True)
class Cli:
    """How to run `pulumi`. `home` is the clone's folder for everything Pulumi writes;
    `stand_ins` says whether the stand-ins take the place of Pulumi's own plugins.
    """

    executable: Path
    home: Path
    kubeconfig: Path
    stand_ins: bool

    @property
    def state(self) -> Path:
        return self.home / "state"

    def environment(self) -> dict[str, str]:
        """The caller's environment with what `pulumi` needs for the local stack."""
        environment = {
            **os.environ,
            "PATH": f"{self.executable.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PULUMI_BACKEND_URL": self.state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_SUPPRESS_NEO_LINK": "true",
            "KUBECONFIG": str(self.kubeconfig),
        }
        # It would win over the passphrase above.
        environment.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
        if self.stand_ins:
            # Everything they talk to is on loopback, which gRPC would send to a proxy as well.
            for name in _PROXY_VARIABLES:
                environment.pop(name, None)
                environment.pop(name.upper(), None)
            environment |= {
                "PULUMI_HOME": str(self.home),
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
                "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
            }
        return environment

    def select(self, project: Path, stack: str) -> None:
        """Make `stack` the current stack of the project, creating it when missing."""
        self.state.mkdir(parents=True, exist_ok=True)
        self.run(["stack", "select", "--create", stack], project, show=None)

    def run(
        self,
        arguments: Sequence[str],
        project: Path,
        show: Callable[[str], None] | None = print,
    ) -> str:
        """Run `pulumi ARGUMENTS` in the project's folder and return its output.

        Each line goes to `show` as it comes. Ctrl-C ends it in good order first: what was
        applied until then is in the state. Raises SandboxError with the diagnostics.
        """
        self._release_dead_locks()
        command = [str(self.executable), *arguments, "--non-interactive"]
        lines: list[str] = []
        with subprocess.Popen(
            command,
            cwd=project,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # Its own group: the CLI takes a second SIGINT for "stop at once", so it must get
            # exactly the one passed on here.
            start_new_session=True,
        ) as process:
            assert process.stdout is not None  # noqa: S101 - PIPE, for the type checker
            try:
                _read(process.stdout, lines, show)
            except KeyboardInterrupt:
                process.send_signal(signal.SIGINT)
                _read(process.stdout, lines, show)
                raise
        if process.returncode:
            raise SandboxError(
                f"`pulumi {' '.join(arguments)}` in {project} failed with exit code "
                f"{process.returncode}:\n{_diagnostics(lines)}"
            )
        return "\n".join(lines)

    def _release_dead_locks(self) -> None:
        """Remove the locks of CLIs that were killed, as `pulumi cancel` would."""
        for path in (self.state / ".pulumi/locks").rglob("*.json"):
            lock = json.loads(path.read_text())
            if lock["hostname"] == socket.gethostname() and not _runs(lock["pid"]):
                for part in (path, path.with_name(f"{path.name}.attrs")):
                    part.unlink(missing_ok=True)


def find_cli(tools: Path, home: Path, kubeconfig: Path) -> Cli:
    """The CLI to use: the user's own with its own plugins, else the one built into the folder
    `tools`, with the stand-ins installed into `home`.
    """
    built = tools / "pulumi"
    own = plugins.own_pulumi(os.environ, built)
    if own:
        return Cli(own, home, kubeconfig, stand_ins=False)
    if not built.exists():
        raise SandboxError(
            f"there is no Pulumi: {built} is not built (run `make build`), and no `pulumi` with "
            f"its plugins {plugins.LANGUAGE} and {plugins.PROVIDER} is on PATH."
        )
    plugins.install(home)
    return Cli(built, home, kubeconfig, stand_ins=True)


def _read(output: IO[str], lines: list[str], show: Callable[[str], None] | None) -> None:
    for line in output:
        lines.append(line.rstrip())
        if show:
            show(lines[-1])


def _diagnostics(lines: Sequence[str]) -> str:
    start = next((i for i, line in enumerate(lines) if line.startswith("Diagnostics:")), 0)
    return "\n".join(lines[start:][-_ERROR_LINES:])


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
