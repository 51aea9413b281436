"""The demo app's settings, read from its environment and checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

# A pod that is told to stop serves on for this long: the mesh hears of it in the meantime.
DRAIN_SECONDS = 2.0
_URL = re.compile(r"^http://[^/:]+(:\d{1,5})?(/|$)")


class SettingsError(Exception):
    """One line per setting that cannot be used."""


@dataclass(frozen=True)
class Settings:
    """Ratios are 0 to 1, times in milliseconds unless the name says seconds. Seconds until the
    crash count from when it serves; 0 is never.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    version: str = "unknown"
    pod: str = "unknown"
    error_ratio: float = 0.0
    latency_ms: float = 5.0
    slow_ratio: float = 0.0
    slow_ms: float = 1000.0
    order_failure_ratio: float = 0.0
    leak_mib_per_second: float = 0.0
    crash_after_seconds: float = 0.0
    inventory_url: str = ""
    proxy: str = ""
    start_seconds: float = 0.0
    drain_seconds: float = DRAIN_SECONDS


def read(environment: Mapping[str, str]) -> Settings:
    """The settings of HOST, PORT, VERSION, HOSTNAME, ERROR_RATIO, LATENCY_MS, SLOW_RATIO,
    SLOW_MS, ORDER_FAILURE_RATIO, LEAK_MIB_PER_SECOND, CRASH_AFTER_SECONDS, INVENTORY_URL,
    HTTP_PROXY, START_SECONDS, DRAIN_SECONDS. Raises SettingsError naming every variable that
    is wrong.
    """
    default = Settings()
    faults: list[str] = []

    def number(name: str, fallback: float, most: float, unit: str) -> float:
        text = environment.get(name, "")
        if not text:
            return fallback
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        # Not a number (NaN) fails this comparison as well.
        if not 0 <= value <= most:
            faults.append(f"{name}={text}: must be {unit} from 0 to {most:g}")
            return fallback
        return value

    def url(name: str, example: str) -> str:
        text = environment.get(name, "")
        if text and not _URL.match(text):
            faults.append(f"{name}={text}: must look like {example}")
        return text

    port = number("PORT", default.port, 65535, "a port number")
    if port != int(port) or port == 0:
        faults.append(f"PORT={environment['PORT']}: must be a port number from 1 to 65535")
    settings = Settings(
        host=environment.get("HOST") or default.host,
        port=int(port),
        version=environment.get("VERSION") or default.version,
        pod=environment.get("HOSTNAME") or default.pod,
        error_ratio=number("ERROR_RATIO", default.error_ratio, 1, "a ratio"),
        latency_ms=number("LATENCY_MS", default.latency_ms, 60_000, "milliseconds"),
        slow_ratio=number("SLOW_RATIO", default.slow_ratio, 1, "a ratio"),
        slow_ms=number("SLOW_MS", default.slow_ms, 60_000, "milliseconds"),
        order_failure_ratio=number("ORDER_FAILURE_RATIO", 0, 1, "a ratio"),
        leak_mib_per_second=number("LEAK_MIB_PER_SECOND", 0, 1024, "MiB per second"),
        crash_after_seconds=number("CRASH_AFTER_SECONDS", 0, 86_400, "seconds"),
        inventory_url=url("INVENTORY_URL", "http://inventory.shop.svc/"),
        proxy=url("HTTP_PROXY", "http://127.0.0.1:15080"),
        start_seconds=number("START_SECONDS", default.start_seconds, 600, "seconds"),
        drain_seconds=number("DRAIN_SECONDS", default.drain_seconds, 600, "seconds"),
    )
    if faults:
        raise SettingsError("The demo app cannot start:\n" + "\n".join(faults))
    return settings
