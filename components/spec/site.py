"""What a stack decides for all its services, unless one of them says otherwise."""

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from components.spec.durations import Seconds
from components.spec.kinds import Controller
from components.spec.namespace import Namespace
from components.spec.stages import Stages
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

    def defaults(self, name: str) -> dict[str, Any]:
        """The arguments of service `name` that hold when neither team nor overlay gives them."""
        return {
            "controller": self.controller,
            "namespace": self.namespace,
            "hosts": [f"{name}.{self.domain}"],
            "stages": self.stages,
        }
