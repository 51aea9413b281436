"""When a container that ended is started again: the kubelet's rules."""

FIRST_SECONDS, MOST_SECONDS = 10, 300
FORGIVEN_SECONDS = 2 * MOST_SECONDS


def restarts(policy: str, exit_code: int) -> bool:
    """Whether `restartPolicy` starts a container again that ended with this code."""
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


class BackOff:
    """The delay before each restart: none, 10 s, 20 s, … 5 min; a run of ten minutes resets it."""

    def __init__(self) -> None:
        self._ends = 0

    def after(self, run_seconds: float) -> int:
        """Seconds to wait when a run that lasted this long has ended."""
        self._ends = 1 if run_seconds >= FORGIVEN_SECONDS else self._ends + 1
        if self._ends == 1:
            return 0
        # The exponent is capped: the number of ends has no bound, the delay does.
        return min(FIRST_SECONDS * 2 ** min(self._ends - 2, 5), MOST_SECONDS)
