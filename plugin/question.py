"""The question a controller asks: which release, which objectives, how strict."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from plugin.slo import SLO, Duration, Model

Name = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$", max_length=253)
]
"""The name of a Kubernetes object."""

Version = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
]
"""A value of the pod label `version`. An empty one would select no requests, or all of them."""


class CanaryArm(Model):
    """The pods of the new version: one workload, and the version its pods are labelled with."""

    workload: Name
    version: Version


class StableArm(Model):
    """The pods to compare with: one workload, if need be without the canary's version."""

    workload: Name
    version: Version | None = None
    not_version: Version | None = None


class Arms(Model):
    canary: CanaryArm
    stable: StableArm

    @model_validator(mode="after")
    def _do_not_overlap(self) -> Self:
        apart = (
            self.canary.workload != self.stable.workload
            or self.canary.version == self.stable.not_version
            or self.stable.version not in {None, self.canary.version}
        )
        if not apart:
            raise PydanticCustomError(
                "overlap",
                "the arms share requests: give stable another workload, or not_version = the "
                "canary's version",
            )
        return self


class Stage(Model):
    """The rollout's current stage: `weight` is the canary's share of the traffic, in percent."""

    weight: int | None = Field(default=None, ge=0, le=100)


class Policy(Model):
    """How strict to be. Everything has a default that follows from the SLO.

    Margins are in error budgets, of which at most 5 % of the requests are counted.
    """

    fail_margin: float = Field(default=0.25, ge=0, le=10)
    """Fail once the canary is proven worse than stable by this many error budgets."""
    pass_margin: float = Field(default=1.0, gt=0, le=10)
    """Pass once the canary is proven not to be worse by this many error budgets."""
    ratio: float = Field(default=1.0, ge=1, le=10)
    """Compare with so many times stable's bad ratio: 1.2 overlooks a canary that is 20 % worse."""
    false_abort: float = Field(default=0.01, ge=1e-6, le=0.2)
    """Probability at most of ever failing a release that is within the fail margin."""
    false_promote: float = Field(default=0.05, ge=1e-6, le=0.2)
    """Probability at most of passing a stage of a release that is beyond the pass margin."""
    burst: float = Field(default=1.0, ge=1, le=100)
    """Failures that come together (retries, batches): evidence is discounted by this factor."""
    warm_up: Duration = timedelta(0)
    """Leave out the canary's first requests for this long: cold caches are no regression."""
    min_bad: int = Field(default=3, ge=1, le=1000)
    """Bad canary requests needed to fail, whatever the evidence."""
    min_requests: int = Field(default=100, ge=1, le=1_000_000)
    """Canary requests in this stage needed to pass, whatever the evidence."""
    lookback: Duration | None = None
    """How far back a rollout may have begun; by default two hours or 720 scrapes."""

    @field_validator("lookback")
    @classmethod
    def _bounded(cls, lookback: timedelta | None) -> timedelta | None:
        if lookback is not None and not timedelta(minutes=1) <= lookback <= timedelta(days=2):
            raise PydanticCustomError("lookback", "the lookback is between 1m and 2d")
        return lookback

    @model_validator(mode="after")
    def _margins_in_order(self) -> Self:
        if self.fail_margin > self.pass_margin:
            raise PydanticCustomError("margins", "fail_margin must not exceed pass_margin")
        return self


class Question(Model):
    """One release to judge: `metrics` names the preset that says where its requests are counted."""

    service: Name
    namespace: Name
    slo: SLO
    metrics: Literal["istio"] = "istio"
    arms: Arms
    stage: Stage = Stage()
    policy: Policy = Policy()

    @property
    def release(self) -> str:
        return f"{self.namespace}/{self.service} {self.arms.canary.version}"
