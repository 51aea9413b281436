"""What a stack decides for all its services, unless one of them says otherwise."""

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from components.spec.durations import Seconds
from components.spec.kinds import Controller
from components.spec.namespace import Namespace
from components.spec.secret import TokenSecret
from components.spec.stages import Stages
from plugin.indicators.schemes import Reporter
from plugin.policy import Policy
from plugin.slo import Model


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        raise ValueError(f"{value!r} is neither a list nor a mapping") from None


FromConfig = BeforeValidator(_parsed)
"""Pulumi hands a stack's objects and arrays over as JSON text."""

NotSet = BeforeValidator(lambda value: None if value == "" else value)
"""Empty text is how a project's default says "none"."""


class Site(Model):
    """The stack's choices that reach a service's manifests. Keys are camelCase in stack files."""

    model_config = ConfigDict(alias_generator=to_camel)

    controller: Controller = Field(description='"argo" or "flagger"')
    namespace: Namespace = Field(description="the namespace services run in")
    domain: str = Field(description="the domain under which the gateway answers: NAME.DOMAIN")
    gateway: str = Field(description="the Istio Gateway, as NAMESPACE/NAME")
    analysis_interval: Seconds = Field(description='the time between two looks, such as "30s"')
    stages: Annotated[Stages, FromConfig] = Field(
        description="the stages of a canary, each {weight, time}"
    )
    policy: Annotated[Policy, FromConfig] = Field(
        default=Policy(), description="how strict the judge is, as {on_undecided, …}"
    )
    rules: bool = Field(
        default=True,
        description="true, or false for a cluster that does not know the kind PrometheusRule",
    )
    istio_reporter: Reporter = Field(
        default="source",
        description="whose request counts to use, source, destination or waypoint",
    )
    judge_token_secret: Annotated[TokenSecret | None, NotSet] = Field(
        default=None,
        description="the name of a Secret with the bearer token that the judge demands of Argo",
    )

    def defaults(self, name: str) -> dict[str, Any]:
        """The arguments of service `name` that hold when neither team nor overlay gives them."""
        return {
            "controller": self.controller,
            "namespace": self.namespace,
            "hosts": [f"{name}.{self.domain}"],
            "stages": self.stages,
            "policy": self.policy.model_dump(mode="json", exclude_unset=True),
        }
