"""What is released in the demo, and how each release should end. Data only."""

from dataclasses import dataclass, field

PROMOTED, ABORTED, HELD = "promoted", "aborted", "held"

# Who releases which service. Both run the same versions at the same time.
SERVICES = {"checkout": "argo", "payments": "flagger"}
DEPENDENCY = "inventory"
IMAGE = "sluice/demo-app"
RATE = 50.0  # requests per second and service
OBJECTIVE = 99.0  # availability in percent, as services/ declares it


@dataclass(frozen=True)
class Release:
    """One version of both services. `env` is what the new image behaves like; during an
    `incident` the dependency of both arms fails for a while.
    """

    tag: str
    title: str
    expected: str
    env: dict[str, str] = field(default_factory=dict)
    incident: bool = False


FIRST = Release("1.0.0", "first deployment", PROMOTED)

RELEASES = (
    Release("1.1.0", "a good release", PROMOTED),
    Release("1.2.0", "5 % of its requests fail", ABORTED, {"ERROR_RATIO": "0.05"}),
    Release(
        "1.3.0",
        "correct but slow: 25 % of its requests take 400 ms",
        ABORTED,
        {"SLOW_RATIO": "0.25", "SLOW_MS": "400"},
    ),
    Release("1.4.0", "a good release while a dependency fails for both", PROMOTED, incident=True),
)

INCIDENT_ENV = {"ERROR_RATIO": "0.3"}
INCIDENT_SECONDS = 25
