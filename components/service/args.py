"""What a team writes about a service. The values are plain: previews and versions need them."""

# Pulumi reads these classes to build the schema for other languages. It cannot read postponed
# annotations, Literal or unions, so kinds are plain strings that the specification checks.

from typing import NotRequired, TypedDict


class LatencyArgs(TypedDict):
    """At least `percentile` percent of the requests are answered within `threshold`."""

    percentile: float
    """Percent of requests, such as 95."""

    threshold: str
    """A bucket bound of Istio's histogram, such as "250ms"."""


class SloArgs(TypedDict):
    """The objectives of a service; at least one of availability and latency."""

    availability: NotRequired[float]
    """Percent of requests that are not answered with a server error, such as 99.9."""

    latency: NotRequired[LatencyArgs]
    """How many requests are fast enough."""

    window: NotRequired[str]
    """The time over which the objectives hold. Default "30d"."""


class StageArgs(TypedDict):
    """One step of a canary."""

    weight: int
    """The canary's share of the traffic in percent; higher than in the stage before."""

    time: str
    """The longest the stage may gather evidence, such as "5m". Evidence ends it earlier."""


class ReplicasArgs(TypedDict):
    """How many pods run per version."""

    min: NotRequired[int]
    """The fewest pods. Default 2."""

    max: NotRequired[int]
    """The most pods under load. Default: as many as `min`, without an autoscaler."""


class ResourcesArgs(TypedDict):
    """What one pod needs."""

    cpu: NotRequired[str]
    """CPU to reserve. Default "100m". There is no limit: limits throttle."""

    memory: NotRequired[str]
    """Memory to reserve, and the limit. Default "128Mi"."""


class ProbesArgs(TypedDict):
    """HTTP paths on the service's port."""

    liveness: NotRequired[str]
    """Answers while the process is worth keeping. Default "/healthz"."""

    readiness: NotRequired[str]
    """Answers while the pod may get traffic. Default "/readyz"."""


class ServiceArgs(TypedDict):
    """A service, its objectives and how its releases reach users."""

    image: str
    """The container image with a tag of its own per release, such as "shop/checkout:1.8.0"."""

    slo: NotRequired[SloArgs]
    """The objectives the judge decides by. Required for a canary."""

    strategy: NotRequired[str]
    """How a new version takes over: "canary" (default) or "rolling"."""

    controller: NotRequired[str]
    """Who moves a canary's traffic: "argo" or "flagger". Default: the stack's."""

    stages: NotRequired[list[StageArgs]]
    """The steps of a canary. Default: the stack's."""

    namespace: NotRequired[str]
    """Where the service runs. Default: the stack's."""

    hosts: NotRequired[list[str]]
    """Names the gateway answers to. Default: NAME under the stack's domain."""

    port: NotRequired[int]
    """The port the container listens on. Default 8080; the Service's port is always 80."""

    env: NotRequired[dict[str, str]]
    """Environment variables. A changed one makes a new version, like a changed image."""

    replicas: NotRequired[ReplicasArgs]
    """How many pods run per version. Default: 2."""

    settle: NotRequired[str]
    """How long a new pod must stay ready before it counts, such as "30s" (the default)."""

    resources: NotRequired[ResourcesArgs]
    """What one pod needs. Default: 100m CPU and 128Mi memory."""

    probes: NotRequired[ProbesArgs]
    """HTTP paths that tell whether a pod is well. Default: /healthz and /readyz."""
