"""What an objective allows, derived from the SLO."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from plugin.policy import Policy
from plugin.slo import SLO, Objective

_FAST_BURN = (Decimal("0.02"), timedelta(hours=1))
_SLOW_BURN = (Decimal("0.05"), timedelta(hours=6))
_LARGEST_MARGIN = Decimal("0.05")
_BURN_SHARE = 0.1
"""Of the false-abort level: what burns that fast is mostly proven worse than stable before."""


@dataclass(frozen=True)
class Limits:
    """What one objective allows, as fractions of the requests, and the levels to prove it at.

    `exposure` is the share of all requests that a pass gives the canary.
    """

    fail_margin: float
    pass_margin: float
    fast_burn: float
    slow_burn: float
    fail_level: float
    burn_level: float
    pass_level: float
    exposure: float = 1.0

    @classmethod
    def of(cls, objective: Objective, slo: SLO, policy: Policy, exposure: float = 1.0) -> "Limits":
        """Defaults derived from the SLO.

        The unit of the margins is the error budget, but not more than 5 %: a median objective has
        a budget of 50 %, and no team wants that much for a margin. The false-abort level is shared
        by the objectives, and in each by its two ways to fail; passing needs all objectives, so
        each is tested at the full level.

        The pass margin is about the service: what the next stage may cost, of all its requests. A
        canary that will get 30 % of them may be worse by three times as much as one that will get
        all; but never by more than what would page somebody.
        """
        unit = float(min(objective.budget, _LARGEST_MARGIN))
        slow_burn = float(max(slo.burn_rate(*_SLOW_BURN), Decimal(1)) * objective.budget)
        for_all = policy.pass_margin * unit
        return cls(
            fail_margin=policy.fail_margin * unit,
            pass_margin=max(for_all, min(for_all / exposure, slow_burn)),
            fast_burn=float(max(slo.burn_rate(*_FAST_BURN), Decimal(1)) * objective.budget),
            slow_burn=slow_burn,
            fail_level=(1 - _BURN_SHARE) * policy.false_abort / len(slo.objectives),
            burn_level=_BURN_SHARE * policy.false_abort / len(slo.objectives),
            pass_level=policy.false_promote,
            exposure=exposure,
        )
