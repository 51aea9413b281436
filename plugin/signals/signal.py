"""One value that is watched beside the objectives, and what follows from it."""

from dataclasses import dataclass

from plugin.verdict.reasons import Reason


@dataclass(frozen=True)
class Signal:
    """`reason` is None while nothing follows. The values are the newest; None if not seen."""

    name: str
    reason: Reason | None = None
    why: str = ""
    canary: float | None = None
    stable: float | None = None
    bound: float | None = None
