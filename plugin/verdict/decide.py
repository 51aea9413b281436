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
    and every hold of any objective, and promotes nothing if an objective hardly had an event.
    """
    case = min(cases, key=lambda case: list(Reason).index(case.reason))
    if case.reason is not Reason.GATHERING or not case.progress.over:
        return Decision(case.reason, case)
    reason = _AT_THE_DEADLINE[case.policy.on_undecided]
    untried = next((case for case in cases if not case.enough_requests), None)
    if reason is Reason.UNDECIDED_PROMOTED and untried is not None:
        return Decision(Reason.GATHERING, untried)
    return Decision(reason, case)
