"""How strict the judge is with a release, and which releases it lets begin."""

from datetime import timedelta
from enum import StrEnum
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from plugin.policy.gates import Window
from plugin.slo import Model
from plugin.slo.units import Duration, Number, Switch, Whole

LONGEST_LOOKBACK = timedelta(days=2)


class OnUndecided(StrEnum):
    """What becomes of a stage that had its time, and is neither proven good nor bad."""

    HOLD = "hold"
    PROMOTE = "promote"
    ABORT = "abort"


class Policy(Model):
    """How strict to be. Everything has a default that follows from the SLO.

    Margins are in error budgets, of which at most 5 % of the requests are counted.
    """

    fail_margin: Number = Field(default=0.25, ge=0, le=10)
    """Fail once the canary is proven worse than stable by this many error budgets."""
    pass_margin: Number = Field(default=1.0, gt=0, le=10)
    """Pass once the canary is proven not to cost the service, with the share of the requests that
    the next stage gives it, this many error budgets more."""
    ratio: Number = Field(default=1.0, ge=1, le=10)
    """Compare with so many times stable's bad ratio: 1.2 overlooks a canary that is 20 % worse."""
    false_abort: Number = Field(default=0.01, ge=1e-6, le=0.2)
    """Probability at most of ever failing a release that is within the fail margin."""
    false_promote: Number = Field(default=0.05, ge=1e-6, le=0.2)
    """Probability at most of passing a stage of a release that is beyond the pass margin."""
    burst: Number = Field(default=1.0, ge=1, le=100)
    """Failures that come together (retries, batches): evidence is discounted by this factor."""
    warm_up: Duration = timedelta(0)
    """Leave out the canary's first requests for this long: cold caches are no regression."""
    min_bad: Whole = Field(default=3, ge=1, le=1000)
    """Bad canary requests needed to fail, whatever the evidence."""
    min_requests: Whole = Field(default=100, ge=1, le=1_000_000)
    """Canary requests in this stage needed to pass, whatever the evidence."""
    lookback: Duration | None = None
    """How far back a rollout may have begun; by default two hours or 720 scrapes, or as long as
    the stages take if that is longer."""
    on_undecided: OnUndecided = OnUndecided.HOLD
    """What to do when a stage's time is over without evidence enough; a data fault always holds."""
    freeze: Switch = False
    """Begin no release while the error budget is spent."""
    windows: tuple[Window, ...] = Field(default=(), max_length=20)
    """When releases may begin; always, if there are none."""

    @field_validator("lookback")
    @classmethod
    def _bounded(cls, lookback: timedelta | None) -> timedelta | None:
        if lookback is not None and not timedelta(minutes=1) <= lookback <= LONGEST_LOOKBACK:
            raise PydanticCustomError("lookback", "the lookback is between 1m and 2d")
        return lookback

    @model_validator(mode="after")
    def _margins_in_order(self) -> Self:
        if self.fail_margin > self.pass_margin:
            raise PydanticCustomError("margins", "fail_margin must not exceed pass_margin")
        return self
