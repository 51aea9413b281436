"""From evidence to a verdict: ordered rules, one reason each.

A data fault never fails and never passes a release. What is proven against it fails it, shared
incidents hold it, and only what is proven harmless in this very stage passes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from math import ceil, log

import numpy as np
from numpy.typing import NDArray

from plugin.evidence import HARM, SAFE, Evidence, Strata, burn, burning, compare, course, trailing
from plugin.question import Policy
from plugin.slo import SLO, Objective

INCIDENT_SECONDS = 30
"""How far back stable's own failures count as an incident that goes on."""

_ONSET_INTERVALS = 4
_RESTARTS, _LATE = 6, 0.2  # how much of the evidence is set aside for releases that turn bad
_FAST_BURN = (Decimal("0.02"), timedelta(hours=1))
_SLOW_BURN = (Decimal("0.05"), timedelta(hours=6))
_LARGEST_MARGIN = Decimal("0.05")


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105 no password
    FAIL = "fail"
    UNDECIDED = "undecided"


class Reason(StrEnum):
    """Why; in the order in which they decide when indicators differ."""

    CONFIG_ERROR = "config_error"
    QUERY_ERROR = "query_error"
    SLO_BURN = "slo_burn"
    REGRESSION = "regression"
    NO_DATA = "no_data"
    COMMON_MODE = "common_mode"
    GATHERING = "gathering"
    NON_INFERIOR = "non_inferior"

    @property
    def verdict(self) -> Verdict:
        if self in {Reason.SLO_BURN, Reason.REGRESSION}:
            return Verdict.FAIL
        return Verdict.PASS if self is Reason.NON_INFERIOR else Verdict.UNDECIDED


@dataclass(frozen=True)
class Limits:
    """What one objective allows, as fractions of the requests, and the levels to prove it at."""

    fail_margin: float
    pass_margin: float
    fast_burn: float
    slow_burn: float
    fail_level: float
    pass_level: float

    @classmethod
    def of(cls, objective: Objective, slo: SLO, policy: Policy) -> "Limits":
        """Defaults derived from the SLO.

        The unit of the margins is the error budget, but not more than 5 %: a median objective has
        a budget of 50 %, and no team wants that much for a margin. The false-abort level is shared
        by the two ways to fail of every objective; passing needs all objectives, so each is tested
        at the full level.
        """
        unit = float(min(objective.budget, _LARGEST_MARGIN))
        return cls(
            fail_margin=policy.fail_margin * unit,
            pass_margin=policy.pass_margin * unit,
            fast_burn=float(max(slo.burn_rate(*_FAST_BURN), Decimal(1)) * objective.budget),
            slow_burn=float(max(slo.burn_rate(*_SLOW_BURN), Decimal(1)) * objective.budget),
            fail_level=policy.false_abort / (2 * len(slo.objectives)),
            pass_level=policy.false_promote,
        )


@dataclass(frozen=True)
class Case:
    """One objective of one release: the counts since its first request.

    The stage it is in `begins` at this interval, and its intervals are `seconds` long.
    `share` says that the canary gets the traffic its stage should give it, `fresh` that the newest
    counts of both arms are new enough to promote on. All evidence is a ln E.
    """

    objective: Objective
    limits: Limits
    policy: Policy
    rollout: Strata
    begins: int
    seconds: int
    share: bool
    fresh: bool

    @property
    def stage(self) -> Strata:
        """The counts since the stage began."""
        return self.rollout[self.begins :]

    @cached_property
    def harm(self) -> float:
        """Evidence against "worse than stable by the fail margin at most", over the rollout."""
        return max(look.log_e(self.limits.fail_margin) for look in self._harm)

    @cached_property
    def safe(self) -> float:
        """Evidence against "worse than stable by more than the pass margin", in this stage."""
        return self._safe.log_e(self.limits.pass_margin)

    @cached_property
    def burn(self) -> float:
        """Evidence against "burns the budget no faster than the fast page", without incidents."""
        quiet = self.rollout[~self._incident]
        bad, total = quiet.canary_bad.sum(), quiet.canary_total.sum()
        return burn(bad, total, self.policy.burst).log_e(self.limits.fast_burn)

    @cached_property
    def extra(self) -> tuple[float, float]:
        """The interval of the canary's extra bad ratio, valid at every look.

        It is above the fail margin, or below the pass margin, exactly when `harm` or `safe` says.
        """
        lower = max(look.lower(self.limits.fail_level) for look in self._harm)
        return lower, max(lower, self._safe.upper(self.limits.pass_level))

    @property
    def to_fail(self) -> float:
        """The evidence (ln E) it takes to fail."""
        return -log(self.limits.fail_level)

    @property
    def to_pass(self) -> float:
        """The evidence (ln E) it takes to pass."""
        return -log(self.limits.pass_level)

    @cached_property
    def reason(self) -> Reason:
        """The first rule that applies, in the order of the enumeration."""
        rules = (
            (Reason.NO_DATA, self.missing_bucket),
            (Reason.SLO_BURN, self._burns),
            (Reason.REGRESSION, self._enough_bad and self.harm >= self.to_fail),
            (Reason.NO_DATA, not self.fresh),
            (Reason.COMMON_MODE, self.incident_now),
            (Reason.NON_INFERIOR, self._proven_safe),
        )
        return next((reason for reason, applies in rules if applies), Reason.GATHERING)

    @property
    def _burns(self) -> bool:
        return self._enough_bad and self.burn >= self.to_fail and self._not_shared

    @property
    def _proven_safe(self) -> bool:
        enough = self.stage.canary_total.sum() >= self.policy.min_requests
        return bool(enough) and self.share and self.safe >= self.to_pass

    @property
    def _enough_bad(self) -> bool:
        return bool(self.rollout.canary_bad.sum() >= self.policy.min_bad)

    @cached_property
    def incident_now(self) -> bool:
        """Stable itself burns the budget, and the canary is not proven to be the better of both."""
        better = self._safe.log_e(0) >= self.to_fail
        return bool(len(self._hot) and self._hot[-1]) and not better

    @property
    def missing_bucket(self) -> bool:
        """No request of either arm was ever fast: then the latency bucket is not there at all."""
        arms = self.rollout
        total = arms.canary_total.sum() + arms.stable_total.sum()
        slow = arms.canary_bad.sum() + arms.stable_bad.sum()
        return self.objective.threshold is not None and slow == total

    @property
    def _not_shared(self) -> bool:
        """Where stable had requests too, they say that the canary is worse (at the pass level)."""
        if not self.rollout[-self.window :].stable_total.any():
            return True
        return max(look.log_e(0) for look in self._harm) >= self.to_pass

    @property
    def window(self) -> int:
        """The intervals that are "now" when it comes to incidents."""
        return max(3, ceil(INCIDENT_SECONDS / self.seconds))

    @cached_property
    def _hot(self) -> NDArray[np.bool_]:
        arm, limits = self.rollout, self.limits
        return burning(
            arm.stable_bad, arm.stable_total, limits.slow_burn, self.window, limits.fail_level
        )

    @cached_property
    def _incident(self) -> NDArray[np.bool_]:
        """While stable was proven to burn, and the few intervals that it took to prove it."""
        return trailing(self._hot[::-1].astype(np.float64), _ONSET_INTERVALS)[::-1] > 0

    @cached_property
    def _harm(self) -> tuple[Evidence, ...]:
        """As it stands now and, if that is another, at the first look that sufficed.

        What was proven once stays proven, since the level holds for all looks together: so a
        judge that is asked again, or too late, comes to the same verdict. The process is mostly
        the one since the release began, and some since half a minute, one, two, … minutes later.
        """
        later = [self.window * 2**power for power in range(_RESTARTS)]
        starts = [(0, 1 - _LATE), *((start, _LATE / _RESTARTS) for start in later)]
        how = {"ratio": self.policy.ratio, "burst": self.policy.burst, "starts": starts}
        usable = self.rollout[self.rollout.comparable]
        proven = course(usable, HARM, self.limits.fail_margin, **how) >= self.to_fail
        first = [usable[: int(np.argmax(proven)) + 1]] if proven.any() else []
        return tuple(compare(strata, HARM, **how) for strata in (usable, *first))

    @cached_property
    def _safe(self) -> Evidence:
        """With and without the intervals of an incident.

        Many shared failures say little about an extra one, and would cost a good release the
        evidence it had; but a release that is spared by the incident may show it.
        """
        quiet = self.stage[~self._incident[self.begins :]]
        with_all, without = (
            compare(strata, SAFE, self.policy.ratio, self.policy.burst)
            for strata in (self.stage, quiet)
        )
        return with_all | without


def decide(cases: Sequence[Case]) -> Case:
    """The objective that decides: any failure fails, and all have to pass."""
    return min(cases, key=lambda case: list(Reason).index(case.reason))
