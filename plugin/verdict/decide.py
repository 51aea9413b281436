"""From all objectives to one verdict.

A data fault never fails and never passes a release. What is proven against it fails it, shared
incidents hold it, and only what is proven harmless in this very stage passes. What is still open
when the stage's time is over is the team's to say: `policy.on_undecided`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from plugin.policy import OnUndecided
from plugin.verdict.case import Case
from plugin.verdict.reasons import Reason

_AT_THE_DEADLINE = {
    OnUndecided.HOLD: Reason.GATHERING,
    OnUndecided.PROMOTE: Reason.UNDECIDED_PROMOTED,
    OnUndecided.ABORT: Reason.UNDECIDED_ABORTED,
}


@dataclass(frozen=True)
class Decision:
    """The reason, and the objective it is about."""

    reason: Reason
    case: Case


def decide(cases: Sequence[Case]) -> Decision:
    """Any failure fails, and all have to pass.

    The deadline turns nothing but a lack of evidence into a verdict: it comes after every fault
    and every hold of any objective, and promotes nothing if an objective hardly had an event, or
    looks bad in an interval that the next one has to explain.
    """
    case = min(cases, key=lambda case: case.reason.rank)
    if case.reason is not Reason.GATHERING or not case.progress.over:
        return Decision(case.reason, case)
    reason = _AT_THE_DEADLINE[case.policy.on_undecided]
    if reason is Reason.UNDECIDED_PROMOTED:
        open_ = (case for case in cases if case.in_doubt or not case.enough_requests)
        return next((Decision(Reason.GATHERING, case) for case in open_), Decision(reason, case))
    return Decision(reason, case)
