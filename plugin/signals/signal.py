"""One value that is watched beside the objectives, and what follows from it."""

from collections.abc import Iterable
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


@dataclass(frozen=True)
class Finding:
    """What follows from a signal."""

    reason: Reason
    why: str

    def outranks(self, reason: Reason) -> bool:
        """Whether it decides before another reason does."""
        return _rank(self.reason) < _rank(reason)


def worst(signals: Iterable[Signal]) -> Finding | None:
    """What decides of all that follows, in the order of the reasons; None if nothing does."""
    findings = [Finding(one.reason, one.why) for one in signals if one.reason is not None]
    return min(findings, key=lambda finding: _rank(finding.reason), default=None)


def _rank(reason: Reason) -> int:
    return list(Reason).index(reason)
