"""Which Pulumi runs: one on PATH that has its own plugins, else the built CLI with stand-ins.

The stand-ins are put where the CLI keeps plugins it has installed, so it finds them as it
finds its own: by name and version, without PATH and without a warning.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

LANGUAGE = "pulumi-language-python"
PROVIDER = "pulumi-resource-kubernetes"

_CLONE = Path(__file__).resolve().parents[2]


def install(home: Path) -> None:
    """Write the stand-ins' executables into the plugin cache of the Pulumi home `home`."""
    _write(home / f"plugins/language-python-v{version('pulumi')}" / LANGUAGE, "language")
    _write(_cached_provider(home), "provider")


def own_pulumi(environment: Mapping[str, str], built: Path) -> Path | None:
    """A `pulumi` on PATH, other than the built one, that has the Python host and the
    provider plugin in the version of the installed SDK; None when there is none.
    """
    path = environment.get("PATH", os.defpath)
    found = shutil.which("pulumi", path=path)
    if found is None or Path(found).resolve() == built.resolve():
        return None
    pulumi = Path(found)
    home = Path(environment.get("PULUMI_HOME") or Path.home() / ".pulumi")
    beside = pulumi.resolve().parent / LANGUAGE
    language = shutil.which(LANGUAGE, path=path) or beside.exists()
    provider = shutil.which(PROVIDER, path=path) or _cached_provider(home).exists()
    return pulumi if language and provider else None


def _cached_provider(home: Path) -> Path:
    return home / f"plugins/resource-kubernetes-v{version('pulumi-kubernetes')}" / PROVIDER


def _write(executable: Path, module: str) -> None:
    """A script that runs a module of this clone with this interpreter."""
    script = (
        "#!/bin/sh\n"
        f'PYTHONPATH={shlex.quote(str(_CLONE))}"${{PYTHONPATH:+:$PYTHONPATH}}" '
        f'exec {shlex.quote(sys.executable)} -u -m sandbox.pulumi.{module} "$@"\n'
    )
    if executable.exists() and executable.read_text() == script:
        return
    executable.parent.mkdir(parents=True, exist_ok=True)
    # Renamed into place: a CLI that runs now never sees half a script.
    draft = executable.with_suffix(".new")
    draft.write_text(script)
    draft.chmod(0o755)
    draft.replace(executable)
