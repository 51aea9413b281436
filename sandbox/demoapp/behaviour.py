"""What happens to one request: decided by chance from the settings, without doing it."""

from dataclasses import dataclass
from http import HTTPStatus
from random import Random

from sandbox.demoapp.settings import Settings


@dataclass(frozen=True)
class Outcome:
    """How long the work takes, in seconds, and what it answers."""

    seconds: float
    status: HTTPStatus


def decide(settings: Settings, chance: Random) -> Outcome:
    """Failing and slow requests are independent; the rest vary by half around the base."""
    slow = chance.random() < settings.slow_ratio
    failing = chance.random() < settings.error_ratio
    base = settings.latency_ms * chance.uniform(0.5, 1.5)
    return Outcome(
        seconds=(settings.slow_ms if slow else base) / 1000,
        status=HTTPStatus.INTERNAL_SERVER_ERROR if failing else HTTPStatus.OK,
    )
