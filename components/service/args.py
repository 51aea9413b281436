"""What a team writes about a service. The values are plain: previews and versions need them."""

# Pulumi reads these classes to build the schema for other languages. It cannot read postponed
# annotations, Literal or unions, so kinds are plain strings that the specification checks.

from typing import TYPE_CHECKING, NotRequired, TypedDict


class LatencyArgs(TypedDict):
    """At least `percentile` percent of the requests are answered within `threshold`."""

    percentile: float
    """Percent of requests, such as 95."""

    threshold: str
    """A bucket bound of the histogram that `metrics` names, such as "250ms"."""


if TYPE_CHECKING:
    Latencies = LatencyArgs | list[LatencyArgs]
else:
    Latencies = LatencyArgs  # several can be written in Python and in stack files only


class RatioArgs(TypedDict):
    """At least `target` percent of the events counted by `total` are good."""

    bad: NotRequired[str]
    """PromQL of the bad events: a counter with its labels. Either this or `good`."""

    good: NotRequired[str]
    """PromQL of the good events. Either this or `bad`."""

    total: str
    """PromQL of all events."""

    target: float
    """Percent of the events that have to be good, such as 99."""


class LimitArgs(TypedDict):
    """A value that must not stay beyond a bound."""

    value: str
    """PromQL of the value."""

    most: NotRequired[float]
    """The largest value that is allowed. Either this or `least`."""

    least: NotRequired[float]
    """The smallest value that is allowed. Either this or `most`."""

    for_: NotRequired[str]
    """How long it must be beyond the bound to fail a release. Default "1m"; also spelt "for"."""


class SaturationArgs(TypedDict):
    """How full the containers of a new version may be."""

    cpu_throttled: NotRequired[float]
    """Percent of the CPU periods that may be throttled, such as 25."""

    memory: NotRequired[float]
    """Percent of the memory limit that the working set may take, such as 90."""


class SloArgs(TypedDict):
    """The objectives of a service; at least one of availability, latency, ratios and openslo."""

    openslo: NotRequired[str]
    """An OpenSLO v1 file to take objectives from; its path is relative to the program."""

    availability: NotRequired[float]
    """Percent of requests that are not answered with a server error, such as 99.9."""

    latency: NotRequired[Latencies]
    """How many requests are fast enough."""

    ratios: NotRequired[dict[str, RatioArgs]]
    """Objectives of your own, by name: bad or good events of all, such as payments that fail."""

    limits: NotRequired[dict[str, LimitArgs]]
    """Values that must not stay beyond a bound, by name, such as the used heap."""

    saturation: NotRequired[SaturationArgs]
    """How full the containers may be."""

    restarts: NotRequired[int]
    """Restarts of any one container of a new version that are tolerated. Default 2."""

    metrics: NotRequired[str]
    """Where requests are counted: "istio" (default) by the callers' proxies, "spring" or
    "prom-client" by the application itself; "nginx" by ingress-nginx, without a canary only."""

    histograms: NotRequired[str]
    """How Prometheus keeps the latency histogram: "classic" (default) or "native"."""

    window: NotRequired[str]
    """The time over which the objectives hold. Default "30d"."""


class StageArgs(TypedDict):
    """One step of a canary."""

    weight: int
    """The canary's share of the traffic in percent; higher than in the stage before."""

    time: str
    """The longest the stage may gather evidence, such as "5m". Evidence ends it earlier."""


class WindowArgs(TypedDict):
    """A time of the week in which releases may begin."""

    days: list[str]
    """Days it begins on: "mon", "tue", "wed", "thu", "fri", "sat", "sun"."""

    hours: str
    """From and to, such as "09:00-16:30"; "22:00-04:00" ends on the next day."""

    zone: NotRequired[str]
    """The IANA time zone of the hours, such as "Europe/Berlin". Default "UTC"."""


class PolicyArgs(TypedDict):
    """How strict the judge is. A service that sets none of it gets sound defaults."""

    fail_margin: NotRequired[float]
    """Error budgets of extra failures that are tolerated. Default 0.25."""

    pass_margin: NotRequired[float]
    """Error budgets of extra failures that must be excluded to pass. Default 1."""

    ratio: NotRequired[float]
    """Compare with so many times the old version's bad ratio. Default 1."""

    false_abort: NotRequired[float]
    """Probability at most of aborting a good release. Default 0.01."""

    false_promote: NotRequired[float]
    """Probability at most of passing a stage of a bad release. Default 0.05."""

    burst: NotRequired[float]
    """How many failures come together, as with retries. Default 1."""

    warm_up: NotRequired[str]
    """How long the first requests of a new version are left out. Default: two looks of the judge,
    at most a fifth of the first stage."""

    min_bad: NotRequired[int]
    """Bad requests needed to fail. Default 3."""

    min_requests: NotRequired[int]
    """Requests of the new version needed to pass a stage. Default 100."""

    lookback: NotRequired[str]
    """How far back a rollout may have begun. Default: 2 hours, or as long as the stages take."""

    on_undecided: NotRequired[str]
    """What to do when a stage's time is over without enough evidence: "hold" (default) for a
    person, "promote" or "abort". Missing data always hold."""

    freeze: NotRequired[bool]
    """Begin no release while the error budget is spent. Default false."""

    windows: NotRequired[list[WindowArgs]]
    """When releases may begin. Default: always. A release under way goes on."""

    fix: NotRequired[str]
    """The image tag of a release that may begin in spite of `freeze` and `windows`."""


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

    policy: NotRequired[PolicyArgs]
    """How strict the judge is, and when releases may begin."""

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
