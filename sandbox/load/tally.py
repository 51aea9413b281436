"""Counts what the callers of one host saw. Pure."""

from collections import Counter, deque
from typing import Any

LATENCIES_KEPT = 2000


class Tally:
    """Cumulative counts since the start; latencies of the last 2000 answers."""

    def __init__(self, rate: float):
        self._rate = rate
        self._statuses: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._dropped = 0
        self._seconds: deque[float] = deque(maxlen=LATENCIES_KEPT)

    def answered(self, status: int, seconds: float) -> None:
        self._statuses[str(status)] += 1
        self._seconds.append(seconds)

    def failed(self, kind: str) -> None:
        """No answer: "connect", "reset" or "timeout"."""
        self._errors[kind] += 1

    def dropped(self) -> None:
        """Not sent, because too many calls were waiting already."""
        self._dropped += 1

    def summary(self) -> dict[str, Any]:
        """As written to the state file; latencies in milliseconds, None before an answer."""
        ordered = sorted(self._seconds)
        return {
            "rate": self._rate,
            "total": self._statuses.total() + self._errors.total(),
            "statuses": dict(self._statuses),
            "errors": dict(self._errors),
            "dropped": self._dropped,
            "latency_ms": {f"p{p}": _percentile(ordered, p) for p in (50, 95, 99)},
        }


def _percentile(ordered: list[float], percent: int) -> float | None:
    """Nearest rank: the smallest value that at least `percent` of all do not exceed."""
    if not ordered:
        return None
    rank = -(-len(ordered) * percent // 100)
    return round(ordered[rank - 1] * 1000, 1)
