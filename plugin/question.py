"""The question a controller asks: which release, which objectives, how strict."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from plugin.hint import Hint
from plugin.indicators import (
    PRESETS,
    Arm,
    Histograms,
    Indicator,
    Metrics,
    Scheme,
    by_labels,
    indicator,
)
from plugin.indicators import Field as Of
from plugin.indicators.expressions import check_expressions
from plugin.policy import LONGEST_LOOKBACK, Policy
from plugin.slo import SLO, Model
from plugin.slo.buckets import check_istio_buckets
from plugin.slo.units import Duration, Whole

_ENDS = "beginning and ending with a letter or digit"

Name = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"),
    Hint(f"write a name as in Kubernetes: 1 to 253 of a-z, 0-9, - and ., {_ENDS}"),
]
"""The name of a Kubernetes object."""

Version = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"),
    Hint(f"write the pods' label version: 1 to 63 of a-z, A-Z, 0-9, -, _ and ., {_ENDS}"),
]
"""A value of the pod label `version`. An empty one would select no requests, or all of them."""

_LONGEST_STAGE = timedelta(days=28)


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


LabelName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,99}$"),
    Hint("write a label's name: 1 to 100 of a-z, A-Z, 0-9 and _, not beginning with a digit"),
]


class Labels(Model):
    """How the application's own metrics name a pod's namespace, workload and version.

    The defaults are those of a PodMonitor whose podTargetLabels are `app` and `version`; `workload`
    carries the label `app`, which Flagger rewrites for its stable copy.
    """

    namespace: LabelName = "namespace"
    workload: LabelName = "app"
    version: LabelName = "version"

    @model_validator(mode="after")
    def _tell_three_things(self) -> Self:
        if len({self.namespace, self.workload, self.version}) < 3:
            raise PydanticCustomError(
                "labels",
                "name three different labels: namespace {namespace}, workload {workload} and "
                "version {version} cannot share one",
                self.model_dump(),
            )
        return self

    @property
    def scheme(self) -> Scheme:
        return by_labels(self.namespace, self.workload, self.version, restarts=True)


class Stage(Model):
    """A stage of the rollout; weight 0 is before the first one."""

    weight: Whole | None = Field(default=None, ge=0, le=100)
    """The canary's share of the traffic, in percent."""
    time: Duration | None = None
    """How long it may gather evidence."""

    @field_validator("time")
    @classmethod
    def _ends(cls, time: timedelta | None) -> timedelta | None:
        if time is not None and time > _LONGEST_STAGE:
            raise PydanticCustomError("time", "a stage takes 28d at most")
        return time


class Question(Model):
    """One release to judge: `metrics` names the preset that says where its requests are counted.

    `stages` are all stages of the rollout, which tell the time of the present one by its weight.
    `answer_within` is how long the asker waits: without a reason in time it would only see a fault.
    """

    service: Name
    namespace: Name
    slo: SLO
    metrics: Metrics = "istio"
    histograms: Histograms = "classic"
    labels: Labels = Labels()
    arms: Arms
    stage: Stage = Stage()
    stages: tuple[Stage, ...] = Field(default=(), max_length=100)
    policy: Policy = Policy()
    answer_within: Duration = timedelta(seconds=9)

    @field_validator("answer_within")
    @classmethod
    def _possible(cls, within: timedelta) -> timedelta:
        if not timedelta(milliseconds=100) <= within <= timedelta(minutes=1):
            raise PydanticCustomError("answer_within", "an answer takes between 100ms and 1m")
        return within

    @model_validator(mode="after")
    def _can_be_counted(self) -> Self:
        if self.metrics == "istio" and self.histograms == "classic":
            check_istio_buckets(self.slo, within=("slo",))
        check_expressions(self.slo, self.labels.scheme, within=("slo",))
        return self

    @property
    def indicators(self) -> list[Indicator]:
        """Where each objective is counted."""
        preset, application = PRESETS[self.metrics], self.labels.scheme
        native = self.histograms == "native"
        return [indicator(one, preset, application, native) for one in self.slo.objectives]

    def apart(self, reporter: str) -> frozenset[str]:
        """The objectives whose arms are scraped each at its own time."""
        arm = self.arm("canary", reporter)
        return frozenset(one.name for one in self.indicators if one.apart(arm))

    def arm(self, name: Literal["canary", "stable"], reporter: str) -> Arm:
        """What the series of an arm are selected by. `reporter` is for Istio's metrics only."""
        canary, stable = self.arms.canary, self.arms.stable
        common = {
            Of.NAMESPACE: self.namespace,
            Of.SERVICE: self.service,
            Of.REPORTER: reporter,
        }
        if name == "canary":
            # Both controllers split the traffic by this Service.
            own = {
                Of.WORKLOAD: canary.workload,
                Of.VERSION: canary.version,
                Of.BACKEND: f"{self.service}-canary",
            }
        else:
            own = {
                Of.WORKLOAD: stable.workload,
                Of.VERSION: stable.version,
                Of.NOT_VERSION: stable.not_version,
                Of.BACKEND: stable.workload,
            }
        return {**common, **own}

    @property
    def release(self) -> str:
        return f"{self.namespace}/{self.service} {self.arms.canary.version}"

    @property
    def stage_time(self) -> timedelta | None:
        """The present stage's time; None if it has none, or is none of the rollout's stages."""
        if self.stage.time is not None or self.stage.weight is None:
            return self.stage.time
        times = (one.time for one in self.stages if one.weight == self.stage.weight)
        return next(times, None)

    @property
    def weight_before(self) -> int:
        """The weight of the stage before the present one; 0 if there is none, or none is known."""
        weights = [stage.weight or 0 for stage in self.stages]
        return max((weight for weight in weights if weight < (self.stage.weight or 0)), default=0)

    @property
    def exposure(self) -> float:
        """The share of the traffic that a pass gives the canary: the next stage's, or all of it."""
        now = self.stage.weight
        weights = [stage.weight or 0 for stage in self.stages]
        return min((w for w in weights if now is not None and w > now), default=100) / 100

    def lookback(self, usual: timedelta) -> timedelta:
        """How far back the counts reach: the policy's, or `usual`, or as long as the stages take.

        Pods that get ready between two stages, and what a stage's deadline may add, take a quarter
        more and ten minutes.
        """
        if self.policy.lookback is not None:
            return self.policy.lookback
        stages = sum((one.time for one in self.stages if one.time), timedelta(0))
        needed = stages * 1.25 + timedelta(minutes=10) if stages else timedelta(0)
        return min(max(usual, needed), LONGEST_LOOKBACK)
