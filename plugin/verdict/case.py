"""One objective of one release: its evidence, and the rule that applies to it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import log

import numpy as np
from numpy.typing import NDArray

from plugin.policy import Policy
from plugin.slo import Objective
from plugin.statistics.evidence import (
    HARM,
    SAFE,
    Evidence,
    Process,
    Strata,
    burn,
    burning,
    compare,
    trailing,
    with_restarts,
)
from plugin.statistics.limits import Limits
from plugin.verdict.progress import Progress, recent
from plugin.verdict.reasons import Reason
from plugin.verdict.skew import ONSET_INTERVALS, edges, newest, steps


@dataclass(frozen=True)
class Case:
    """One objective of one release: the counts since its first request.

    Its intervals are `seconds` long, `progress` says where its stage stands, and `fresh` that the
    newest counts of both arms are new enough to promote on. `apart` says that the arms' pods are
    scraped each at its own time. All evidence is a ln E.
    """

    objective: Objective
    limits: Limits
    policy: Policy
    rollout: Strata
    seconds: int
    progress: Progress
    fresh: bool
    apart: bool = False

    @property
    def stage(self) -> Strata:
        """The counts since the stage began."""
        return self.rollout[self.progress.begins :]

    @cached_property
    def harm(self) -> float:
        """Evidence against "worse than stable by the fail margin at most", over the rollout."""
        return self._harmful(lambda look: look.log_e(self.limits.fail_margin))

    @cached_property
    def safe(self) -> float:
        """Evidence against "worse than stable by more than the pass margin", in this stage."""
        return min(look.log_e(self.limits.pass_margin) for look in self._safe)

    @cached_property
    def burn(self) -> float:
        """Evidence against "burns the budget no faster than the fast page", without incidents."""
        quiet = self.rollout[self._settled & ~self._incident]
        bad, total = quiet.canary_bad.sum(), quiet.canary_total.sum()
        return burn(bad, total, self.policy.burst).log_e(self.limits.fast_burn)

    @cached_property
    def extra(self) -> tuple[float, float]:
        """The interval of the canary's extra bad ratio, valid at every look.

        It is above the fail margin, or below the pass margin, exactly when `harm` or `safe` says.
        """
        lower = self._harmful(lambda look: look.lower(self.limits.fail_level))
        upper = max(look.upper(self.limits.pass_level) for look in self._safe)
        return lower, max(lower, upper)

    @property
    def to_fail(self) -> float:
        """The evidence (ln E) it takes to fail by comparison with stable."""
        return -log(self.limits.fail_level)

    @property
    def to_burn(self) -> float:
        """The evidence (ln E) it takes to fail by the burn rate alone."""
        return -log(self.limits.burn_level)

    @property
    def to_pass(self) -> float:
        """The evidence (ln E) it takes to pass."""
        return -log(self.limits.pass_level)

    @cached_property
    def reason(self) -> Reason:
        """The first rule that applies: the order within one objective."""
        rules = (
            (Reason.NO_DATA, self.missing_bucket),
            (Reason.SLO_BURN, self._burns),
            (Reason.REGRESSION, self._enough_bad and self.harm >= self.to_fail),
            (Reason.NO_DATA, self.unseen or not self.fresh),
            (Reason.COMMON_MODE, self.incident_now),
            (Reason.TRAFFIC_SHARE, not self.progress.share),
            (Reason.NON_INFERIOR, self._proven_safe),
        )
        return next((reason for reason, applies in rules if applies), Reason.GATHERING)

    @property
    def unseen(self) -> bool:
        """No event of this objective in one of the arms, whatever traffic there is."""
        return not (self.rollout.canary_total.any() and self.rollout.stable_total.any())

    @property
    def _burns(self) -> bool:
        return self._enough_bad and self.burn >= self.to_burn and self._not_shared

    @property
    def _proven_safe(self) -> bool:
        return self.enough_requests and self.safe >= self.to_pass

    @property
    def enough_requests(self) -> bool:
        """Whether the canary had requests enough in this stage to promote it at all."""
        return bool(self.stage.canary_total.sum() >= self.policy.min_requests)

    @property
    def in_doubt(self) -> bool:
        """Whether the newest interval would prove harm, if it were known to be no edge."""
        if self._settled.all() or not self._enough_bad:
            return False
        looks = self._looks(self.rollout[self._simultaneous])
        return max(look.log_e(self.limits.fail_margin) for look in looks) >= self.to_fail

    @property
    def _enough_bad(self) -> bool:
        return bool(self.rollout.canary_bad.sum() >= self.policy.min_bad)

    @cached_property
    def incident_now(self) -> bool:
        """Stable itself burns the budget, and the canary is not proven to be the better of both."""
        better = min(look.log_e(0) for look in self._safe) >= self.to_fail
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
        """Stable's requests say that the canary is worse (at the pass level), if it has any.

        A stable that has fallen silent may not be scraped, and then an incident that both share
        looks like the canary's own.
        """
        if self.rollout[-self.window :].stable_total.any():
            return self._harmful(lambda look: look.log_e(0)) >= self.to_pass
        return self.progress.alone

    @property
    def window(self) -> int:
        """The intervals that are "now" when it comes to incidents."""
        return recent(self.seconds)

    @cached_property
    def _hot(self) -> NDArray[np.bool_]:
        return self._burning(self.window)

    def _burning(self, window: int) -> NDArray[np.bool_]:
        arm, limits = self.rollout, self.limits
        return burning(
            arm.stable_bad, arm.stable_total, limits.slow_burn, window, limits.fail_level
        )

    @cached_property
    def _incident(self) -> NDArray[np.bool_]:
        """While stable was proven to burn, and the few intervals that it took to prove it."""
        return trailing(self._hot[::-1].astype(np.float64), ONSET_INTERVALS)[::-1] > 0

    @cached_property
    def _simultaneous(self) -> NDArray[np.bool_]:
        """The intervals in which both arms tell of the same seconds, as far as it matters."""
        if not self.apart:
            return np.ones(len(self.rollout), dtype=bool)
        arm, margin = self.rollout, self.limits.fail_margin
        at_once, lately = (self._burning(1), 0), (self._hot, self.window)
        around = edges(arm.comparable, at_once, lately)
        return ~(around | steps(arm.stable_bad, arm.stable_total, margin, self.policy.burst))

    @cached_property
    def _settled(self) -> NDArray[np.bool_]:
        """Those of them of which it is known."""
        if not self.apart:
            return self._simultaneous
        return self._simultaneous & ~newest(self.rollout.comparable)

    def _harmful(self, how: Callable[[Evidence], float]) -> float:
        """How much harm is proven at least, at the best look.

        With all intervals, because to leave some out for what stable suffers is no valid test; and
        without those that may deceive.
        """
        return min(max(how(look) for look in looks) for looks in self._harm)

    @cached_property
    def _harm(self) -> tuple[tuple[Evidence, ...], ...]:
        with_all = self._looks(self.rollout)
        if self._settled.all():
            return (with_all,)
        return with_all, self._looks(self.rollout[self._settled])

    def _looks(self, strata: Strata) -> tuple[Evidence, ...]:
        """As it stands now and, if that is another, at the first look that sufficed.

        What was proven once stays proven, since the level holds for all looks together: so a
        judge that is asked again, or too late, comes to the same verdict. The process is mostly
        the one since the release began, and some since half a minute, one, two, … minutes later.
        """
        starts = with_restarts(self.window)
        process = Process.of(strata, HARM, self.policy.ratio, self.policy.burst)
        proven = process.course(self.limits.fail_margin, starts) >= self.to_fail
        first = [process[: int(np.argmax(proven)) + 1]] if proven.any() else []
        return tuple(look.evidence(starts) for look in (process, *first))

    @cached_property
    def _safe(self) -> tuple[Evidence, ...]:
        """Nothing passes for want of the newest interval, nor for its sake where it may deceive."""
        kinds = [self._simultaneous] if self._settled.all() else [self._simultaneous, self._settled]
        return tuple(self._safe_by(known[self.progress.begins :]) for known in kinds)

    def _safe_by(self, known: NDArray[np.bool_]) -> Evidence:
        """With and without the intervals of an incident.

        Many shared failures say little about an extra one, and would cost a good release the
        evidence it had; but a release that is spared by the incident may show it.
        """
        incident = self._incident[self.progress.begins :]
        with_all = self._safe_in(self.stage[known])
        if not incident.any():
            return with_all
        return with_all | self._safe_in(self.stage[known & ~incident])

    def _safe_in(self, strata: Strata) -> Evidence:
        return compare(strata, SAFE, self.policy.ratio, self.policy.burst)
