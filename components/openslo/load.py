"""An OpenSLO v1 file → the `slo` of one service.

Lenient where published files are sloppy and the meaning is clear: each such place is a warning.
Strict where the reading changes a verdict: what counts as bad, the target, the threshold, the
window. What Sluice cannot decide by (time slices, composites, sources other than Prometheus) is
refused rather than approximated.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from components.openslo.documents import Document, read
from components.openslo.findings import Findings, OpenSLOError
from components.openslo.library import Library
from components.openslo.promises import Promise, promises
from plugin.indicators.expressions import check_expressions
from plugin.slo import SLO, SignalName
from plugin.slo.units import format_duration

_LONGEST_NAME = 40


@dataclass(frozen=True)
class Imported:
    """`slo` as a team would have written it (`plugin.slo.SLO` accepts it), and the warnings."""

    slo: Mapping[str, Any]
    warnings: tuple[str, ...]


def load(text: str, source: str, service: str) -> Imported:
    """Read the objectives of `service` from the OpenSLO file `source`, whose content is `text`.

    Raises OpenSLOError; each line of its message names the file, the object, the field and the fix.
    """
    findings = Findings()
    library = Library(read(text, source), findings)
    found: list[Promise] = []
    for document in _of_service(library.of_kind("SLO"), source, service, findings):
        with findings.collected():
            found += promises(document, library)
    if findings.errors:
        raise OpenSLOError("\n".join(findings.errors))
    return Imported(_slo(found, source), tuple(findings.warnings))


def _of_service(
    slos: list[Document], source: str, service: str, findings: Findings
) -> list[Document]:
    """The SLOs that name `service`, or no service; all of them if they agree on another name."""
    if not slos:
        raise OpenSLOError(f"{source}: there is no object of kind SLO in it")
    own = [each for each in slos if each.service in {service, None}]
    others = sorted({each.service for each in slos if each.service is not None} - {service})
    if own or len(others) == 1:
        if not own:
            findings.warnings.append(
                f"{source}: its objectives are those of {others[0]}; taken for {service}'s"
            )
        return own or slos
    raise OpenSLOError(
        f"{source}: its objectives are those of {', '.join(others)}; none has service: {service}"
    )


def _slo(found: list[Promise], source: str) -> Mapping[str, Any]:
    windows = sorted({each.window for each in found})
    if len(windows) > 1:
        raise OpenSLOError(
            f"{source}: its objectives have the windows {_listed(windows)}; a service has one "
            "error budget period: give them the same timeWindow"
        )
    named: dict[str, Promise] = {}
    for each in found:
        name = ratio_name(each.name)
        if name in named:
            raise OpenSLOError(
                f"{source}: two objectives would both be called {name}; give each SLO a "
                f"metadata.name that differs in its first {_LONGEST_NAME} letters"
            )
        named[name] = each
    ratios = {name: {**each.counters, "target": each.target} for name, each in named.items()}
    slo = {"ratios": ratios, "window": format_duration(windows[0])}
    try:
        check_expressions(SLO.model_validate(slo))
    except ValidationError as error:
        raise OpenSLOError(
            "\n".join(_of_object(problem, named, source) for problem in error.errors())
        ) from None
    return slo


def _of_object(problem: ErrorDetails, named: Mapping[str, Promise], source: str) -> str:
    """What is wrong with a ratio, told of the SLO object that it was made from."""
    match problem["loc"]:
        case ("ratios", str(name), *field) if name in named:
            origin, path = named[name].origin, field
        case path:
            origin = source
    return f"{origin}: {'.'.join(map(str, path))}: {problem['msg']}"


def ratio_name(name: str) -> str:
    """What an OpenSLO name is called here: lower-case with "_", and not like a built-in one."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    try:
        return TypeAdapter(SignalName).validate_python(plain)
    except ValidationError:
        shortened = plain if plain[:1].isalpha() and len(plain) > _LONGEST_NAME else f"slo_{plain}"
        return shortened[:_LONGEST_NAME].rstrip("_")


def _listed(windows: list[timedelta]) -> str:
    return " and ".join(map(format_duration, windows))
