"""`"slo": {"openslo": FILE}`: a service's objectives from an OpenSLO file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components import openslo
from components.spec.errors import SpecError
from components.spec.service import merge

KEY = "openslo"


@dataclass(frozen=True)
class Expanded:
    """What a team and its stack wrote, with the objectives of the file in place of its name."""

    args: Mapping[str, Any]
    overlay: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


def expand(
    name: str, args: Mapping[str, Any], overlay: Mapping[str, Any], folder: Path
) -> Expanded:
    """Read the OpenSLO file that the `slo` of service `name` names, relative to `folder`.

    Keys beside `openslo` are laid over the file's, as an overlay is over arguments. A stack may
    name another file. Raises SpecError, which names the file, the object, the field and the fix.
    """
    path = _named(overlay) or _named(args)
    if path is None:
        return Expanded(args, overlay)
    field = f"{name}.slo.{KEY}"
    if not isinstance(path, str):
        raise SpecError(f"{field}: {path!r} is no path; name an OpenSLO file of this program")
    try:
        imported = openslo.load(_text(folder / path, path), path, name)
    except openslo.OpenSLOError as error:
        lines = str(error).splitlines()
        raise SpecError("\n".join(f"{field}: {line}" for line in lines)) from None
    return Expanded(
        merge({"slo": imported.slo}, _unnamed(args)),
        _unnamed(overlay),
        tuple(f"{field}: {warning}" for warning in imported.warnings),
    )


def _named(written: Mapping[str, Any]) -> Any:
    slo = written.get("slo")
    return slo.get(KEY) if isinstance(slo, Mapping) else None


def _unnamed(written: Mapping[str, Any]) -> dict[str, Any]:
    slo = written.get("slo")
    if not isinstance(slo, Mapping):
        return dict(written)
    return {**written, "slo": {key: value for key, value in slo.items() if key != KEY}}


def _text(file: Path, path: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        problem = error.strerror or type(error).__name__
        raise openslo.OpenSLOError(
            f"{path}: cannot be read ({problem}); the path is relative to the program"
        ) from None
    except ValueError:  # no UTF-8, or a path that no file can have
        raise openslo.OpenSLOError(f"{path}: is no text in UTF-8") from None
