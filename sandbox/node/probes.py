"""Probes of a pod specification: their timing and thresholds. Pure; checks.py asks the process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# "While a container is not Ready, the readiness probe may be executed more often to make the
# pod ready faster" (Kubernetes documentation): this often.
UNREADY_PERIOD_SECONDS = 0.5


class UnsupportedError(Exception):
    """The specification asks for something that the node stand-in does not do."""


@dataclass(frozen=True)
class HttpGet:
    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class TcpSocket:
    host: str
    port: int


@dataclass(frozen=True)
class Exec:
    command: Sequence[str]


@dataclass(frozen=True)
class Sleep:
    seconds: float


Action = HttpGet | TcpSocket | Exec | Sleep


@dataclass(frozen=True)
class Probe:
    """One probe with the API's defaults; times in seconds."""

    action: Action
    initial_delay: float
    period: float
    timeout: float
    success_threshold: int
    failure_threshold: int


class Verdict:
    """Whether a probe passes: it changes after as many equal results in a row as its threshold."""

    def __init__(self, probe: Probe, passing: bool):
        self._probe = probe
        self._run = 0
        self._last: bool | None = None
        self.passing = passing

    def add(self, ok: bool) -> bool:
        """Count one result; True when `passing` changed by it."""
        self._run = self._run + 1 if ok is self._last else 1
        self._last = ok
        probe = self._probe
        threshold = probe.success_threshold if ok else probe.failure_threshold
        changed = ok is not self.passing and self._run >= threshold
        if changed:
            self.passing = ok
        return changed

    @property
    def failed(self) -> bool:
        """Failing for its whole threshold: what kills by a startup or liveness probe."""
        return self._last is False and self._run >= self._probe.failure_threshold


def probe(container: Mapping[str, Any], kind: str, address: str) -> Probe | None:
    """The container's `startupProbe`, `readinessProbe` or `livenessProbe`; None without one.

    `address` is the pod's own. Raises UnsupportedError.
    """
    spec = container.get(kind)
    if spec is None:
        return None
    return Probe(
        action=action(spec, container, address, f"{kind} of container {container['name']}"),
        initial_delay=spec.get("initialDelaySeconds", 0),
        period=spec.get("periodSeconds", 10),
        timeout=spec.get("timeoutSeconds", 1),
        success_threshold=spec.get("successThreshold", 1),
        failure_threshold=spec.get("failureThreshold", 3),
    )


def hook(container: Mapping[str, Any], kind: str, address: str) -> Action | None:
    """The container's lifecycle hook `preStop` or `postStart`. Raises UnsupportedError."""
    spec = container.get("lifecycle", {}).get(kind)
    return (
        action(spec, container, address, f"{kind} of container {container['name']}")
        if spec
        else None
    )


def action(
    spec: Mapping[str, Any], container: Mapping[str, Any], address: str, where: str
) -> Action:
    """The handler in a probe or hook. Raises UnsupportedError naming `where` it stands."""
    match spec:
        case {"httpGet": get}:
            host = get.get("host") or address
            port = _port(get["port"], container, where)
            scheme, path = get.get("scheme", "HTTP").lower(), get.get("path", "/").lstrip("/")
            headers = {header["name"]: header["value"] for header in get.get("httpHeaders", ())}
            return HttpGet(f"{scheme}://{host}:{port}/{path}", headers)
        case {"tcpSocket": socket}:
            return TcpSocket(socket.get("host") or address, _port(socket["port"], container, where))
        case {"exec": execute}:
            return Exec(execute["command"])
        case {"sleep": sleep}:
            return Sleep(sleep["seconds"])
    kinds = ", ".join(key for key in spec if isinstance(spec[key], dict))
    raise UnsupportedError(
        f"{where}: the sandbox's node knows httpGet, tcpSocket, exec and sleep, not {kinds}"
    )


def _port(port: int | str, container: Mapping[str, Any], where: str) -> int:
    if isinstance(port, int):
        return port
    named = [p["containerPort"] for p in container.get("ports", ()) if p.get("name") == port]
    if not named:
        raise UnsupportedError(f'{where}: the container has no port named "{port}"')
    return named[0]
