"""A release that answers every request well: only what is no ratio can decide it."""

from plugin.judge import Judgement
from plugin.signals import Signal
from tests.contract.support.history import Array, History, always, counter, from_then_on
from tests.contract.support.series import istio

OPEN = {"availability": 50}
"""Does not decide before a signal does."""


def serve(past: History) -> None:
    """Both arms answer every request well."""
    for version, requests in (("1.1", 10), ("1.0", 90)):
        served(past, version, counter(always(requests)))


def released(past: History, first: int) -> None:
    """The same, with a canary that begins in that interval."""
    for version, requests in (("1.0", always(1350)), ("1.1", from_then_on(first, 150))):
        served(past, version, counter(requests, born=True))


def served(past: History, version: str, values: Array) -> None:
    names = istio(past.namespace, version, response_code="200")
    past.add("istio_requests_total", values, **names)


def judged(past: History, **slo: object) -> Judgement:
    return past.judgement(past.question({**OPEN, **slo}))


def signal(judgement: Judgement, name: str) -> Signal:
    (found,) = (one for one in judgement.signals if one.name == name)
    return found
