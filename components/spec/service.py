"""A service as its team describes it, checked and with every default resolved."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from components import conventions
from components.spec import image
from components.spec.durations import Seconds
from components.spec.errors import Path, SpecError, dotted, problems
from components.spec.kinds import Controller, Strategy
from components.spec.namespace import Namespace
from components.spec.policy import ReleasePolicy
from components.spec.site import Site
from components.spec.slo import MeasuredSLO
from components.spec.stages import Stages
from plugin.slo import Model


class Replicas(Model):
    """Pods per version: `min` at any time; an autoscaler is made only if `max` is above it."""

    min: int = Field(default=2, ge=1, description="the fewest pods, 1 or more")
    max: int | None = Field(default=None, description="the most pods under load")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.max is not None and self.max < self.min:
            raise ValueError(f"max {self.max} is below min {self.min}; raise max or leave it out")
        return self

    @property
    def autoscaled(self) -> bool:
        """Whether an autoscaler, not the declaration, decides the number of pods."""
        return self.max is not None and self.max > self.min


Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|[kMGT]i?)?$")]
"""Kubernetes' way to write amounts: a number, and m for thousandths or Mi, Gi for memory."""


class Resources(Model):
    """What one pod asks for. Memory is also its limit; CPU has none, because limits throttle."""

    cpu: Quantity = Field(default="100m", description='Kubernetes CPU, such as "250m"')
    memory: Quantity = Field(default="128Mi", description='Kubernetes memory, such as "256Mi"')


class Probes(Model):
    """HTTP paths on the service's port that tell whether a pod lives and may get traffic."""

    liveness: str = Field(default="/healthz", pattern="^/", description='a path such as "/healthz"')
    readiness: str = Field(default="/readyz", pattern="^/", description='a path such as "/readyz"')


def _tagged(reference: str) -> str:
    image.release(reference)
    return reference


def _text(value: Any) -> Any:
    """Stack files make numbers of 0.05 and true; a process knows only text."""
    return json.dumps(value) if isinstance(value, bool | int | float) else value


class ServiceFields(Model):
    """Everything a team or a stack may say about one service."""

    image: Annotated[str, AfterValidator(_tagged)] = Field(
        description='the container image with its tag, such as "shop/checkout:1.8.0"'
    )
    strategy: Strategy = Field(default=Strategy.CANARY, description='"canary" or "rolling"')
    slo: MeasuredSLO | None = Field(
        default=None, validate_default=True, description="the objectives the judge decides by"
    )
    controller: Controller = Field(description='"argo" or "flagger"')
    namespace: Namespace = Field(description="the namespace the service runs in")
    stages: Stages = Field(description="the stages of a canary, each {weight, time}")
    policy: ReleasePolicy = Field(
        default=ReleasePolicy(), description="how strict the judge is, as {on_undecided, …}"
    )
    hosts: tuple[str, ...] = Field(description="the names the gateway answers to")
    port: int = Field(
        default=conventions.CONTAINER_PORT,
        ge=1,
        le=65535,
        description="the port the container listens on, from 1 to 65535",
    )
    env: dict[str, Annotated[str, BeforeValidator(_text)]] = Field(
        default={}, description="environment variables and their values"
    )
    replicas: Replicas = Field(default=Replicas(), description="the pods per version, {min, max}")
    settle: Seconds = Field(
        default="30s",
        validate_default=True,
        description='how long a new pod must stay ready before it counts, as "30s"',
    )
    resources: Resources = Field(default=Resources(), description="a pod's needs, {cpu, memory}")
    probes: Probes = Field(default=Probes(), description="HTTP paths, {liveness, readiness}")

    @field_validator("slo")
    @classmethod
    def _judgeable(cls, slo: MeasuredSLO | None, info: ValidationInfo) -> MeasuredSLO | None:
        canary = info.data.get("strategy") is Strategy.CANARY
        if slo is None and canary:
            raise ValueError(
                "is missing: the judge decides every stage of a canary by it; add "
                '"slo": {"availability": 99.9}, or set "strategy": "rolling"'
            )
        if slo is not None:
            slo.check(canary=canary)
        return slo


class ServiceSpec(ServiceFields):
    """A service with its name and the site it runs on: all that a manifest is made from."""

    name: str
    site: Site


def resolve(
    name: str,
    args: Mapping[str, Any],
    site: Site,
    overlay: Mapping[str, Any] | None = None,
    overlay_source: str = "the overlay",
) -> ServiceSpec:
    """Check `args` overlaid with what the stack says about this service.

    Lowest first: the site's defaults, the team's `args`, the stack's `overlay`. Mappings merge
    key by key; anything else, lists included, is replaced as a whole.
    Raises SpecError, which names each wrong field, where it was written, and the fix.
    """
    if not re.fullmatch(r"[a-z]([a-z0-9-]{0,48}[a-z0-9])?", name):
        raise SpecError(
            f"{name!r} is no service name; use up to 50 lower-case letters, digits and '-', "
            f"beginning with a letter"
        )
    overlay = overlay or {}
    try:
        fields = ServiceFields.model_validate(merge(site.defaults(name), merge(args, overlay)))
    except ValidationError as error:
        raise SpecError(
            "\n".join(
                f"{dotted((name, *path))}{_source(path, overlay, overlay_source)}: {sentence}"
                for path, sentence in problems(error, ServiceFields)
            )
        ) from None
    # All is checked by now; a second time would read resolved values as written ones.
    return ServiceSpec.model_construct(name=name, site=site, **dict(fields))


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `over` on top; only mappings merge."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged


def _source(path: Path, overlay: Mapping[str, Any], overlay_source: str) -> str:
    """Where to look when the stack's overlay, not the team's file, holds the wrong value."""
    node: Any = overlay
    for part in path:
        if isinstance(node, Mapping):
            if part not in node:
                return ""
            node = node[part]
    return f" (in {overlay_source})" if path else ""
