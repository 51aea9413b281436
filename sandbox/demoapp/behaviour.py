"""What happens to one request: decided by chance from the settings, without doing it."""

from dataclasses import dataclass
from http import HTTPStatus
from random import Random

from sandbox.demoapp.settings import Settings


@dataclass(frozen=True)
class Outcome:
    """How long the work takes, in seconds, what it answers, and what becomes of the order that
    was placed if it answers well.
    """

    seconds: float
    status: HTTPStatus
    order_failed: bool


def decide(settings: Settings, chance: Random) -> Outcome:
    """Failing requests, slow ones and failing orders are independent; the rest vary by half
    around the base.
    """
    slow = chance.random() < settings.slow_ratio
    failing = chance.random() < settings.error_ratio
    order_failed = chance.random() < settings.order_failure_ratio
    base = settings.latency_ms * chance.uniform(0.5, 1.5)
    return Outcome(
        seconds=(settings.slow_ms if slow else base) / 1000,
        status=HTTPStatus.INTERNAL_SERVER_ERROR if failing else HTTPStatus.OK,
        order_failed=order_failed,
    )
