"""The three verdicts, and the reasons for them."""

from enum import StrEnum


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105 no password
    FAIL = "fail"
    UNDECIDED = "undecided"


class Reason(StrEnum):
    """Why; in the order in which they decide when indicators differ."""

    CONFIG_ERROR = "config_error"
    QUERY_ERROR = "query_error"
    OOM_KILLED = "oom_killed"
    CRASH_LOOP = "crash_loop"
    RESTARTS = "restarts"
    LIMIT_EXCEEDED = "limit_exceeded"
    SLO_BURN = "slo_burn"
    REGRESSION = "regression"
    NO_DATA = "no_data"
    WINDOW_CLOSED = "window_closed"
    BUDGET_EXHAUSTED = "budget_exhausted"
    COMMON_MODE = "common_mode"
    TRAFFIC_SHARE = "traffic_share"
    GATHERING = "gathering"
    UNDECIDED_ABORTED = "undecided_aborted"
    UNDECIDED_PROMOTED = "undecided_promoted"
    NON_INFERIOR = "non_inferior"
    MAY_BEGIN = "may_begin"

    @property
    def rank(self) -> int:
        """Its place in that order; the lowest decides."""
        return list(Reason).index(self)

    @property
    def verdict(self) -> Verdict:
        if self in _FAIL:
            return Verdict.FAIL
        return Verdict.PASS if self in _PASS else Verdict.UNDECIDED


_FAIL = {
    Reason.OOM_KILLED,
    Reason.CRASH_LOOP,
    Reason.RESTARTS,
    Reason.LIMIT_EXCEEDED,
    Reason.SLO_BURN,
    Reason.REGRESSION,
    Reason.UNDECIDED_ABORTED,
}
_PASS = {Reason.UNDECIDED_PROMOTED, Reason.NON_INFERIOR, Reason.MAY_BEGIN}
