"""The named choices a service has."""

from enum import StrEnum


class Strategy(StrEnum):
    """How a new version takes over."""

    CANARY = "canary"
    ROLLING = "rolling"


class Controller(StrEnum):
    """Who moves the traffic of a canary."""

    ARGO = "argo"
    FLAGGER = "flagger"
