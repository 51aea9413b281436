"""Which labels tell a release's two arms apart, as data: one scheme per family of metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from plugin.promql.matchers import Matcher

Reporter = Literal["source", "destination", "waypoint"]
"""The side of a request that counts it. The caller ("source") also sees the requests that a dead
canary never answers, and has both arms in one scrape."""


class Field(StrEnum):
    """What a label of an arm's series may be compared with."""

    NAMESPACE = "namespace"
    SERVICE = "service"
    WORKLOAD = "workload"
    VERSION = "version"
    NOT_VERSION = "not_version"
    BACKEND = "backend"
    """The Kubernetes Service that reaches only this arm's pods."""
    REPORTER = "reporter"
    """See `Reporter`."""


Arm = Mapping[Field, str | None]
"""One arm of one release. A field that is None sets no condition."""

Condition = tuple[str, str, Field | str]
"""Label, operator, and a field of the arm or a fixed value."""

Conditions = tuple[Condition, ...]
Alternatives = tuple[Conditions, ...]
"""Series that meet any of these; no series meets two of them."""


@dataclass(frozen=True)
class Scheme:
    """How series name the arm they belong to.

    `unreached` are requests that were meant for an arm and found none of its pods: no workload can
    be named then, only the Service. `version` is the label that carries the version, if one does.
    `restarts` says that the release itself counts, and from zero whenever it starts; a proxy goes
    on counting. `pods` is the label in which the scrape targets of pods have their namespace.
    """

    canary: Alternatives
    stable: Alternatives
    unreached: Conditions | None = None
    version: str | None = None
    restarts: bool = False
    pods: str = "namespace"

    def apart(self, arm: Arm) -> bool:
        """Whether each arm's own pods are scraped, at times of their own, and no proxy of both.

        Istio's reporter may be the proxy beside a pod.
        """
        beside = "reporter" in self.labels and arm.get(Field.REPORTER) == "destination"
        return self.restarts or beside

    def targets(self, arm: Arm) -> tuple[Matcher, ...]:
        """The conditions for the scrape targets among which an arm's pods are."""
        return resolved(((self.pods, "=", Field.NAMESPACE),), arm)

    def matchers(self, name: str, arm: Arm) -> tuple[tuple[Matcher, ...], ...]:
        """The conditions of the arm called `name`, per alternative."""
        alternatives = self.canary if name == "canary" else self.stable
        return tuple(resolved(conditions, arm) for conditions in alternatives)

    @property
    def labels(self) -> frozenset[str]:
        """The labels that this scheme sets conditions on."""
        every = (*self.canary, *self.stable)
        return frozenset(label for conditions in every for label, _, _ in conditions)


def resolved(conditions: Conditions, arm: Arm) -> tuple[Matcher, ...]:
    """The conditions with this arm's values; without those that it leaves open."""
    matchers = []
    for label, operator, value in conditions:
        text = arm.get(value) if isinstance(value, Field) else value
        if text is not None:
            matchers.append(Matcher(label, operator, text))
    return tuple(matchers)


def by_labels(
    namespace: str,
    workload: str,
    version: str,
    *also: Condition,
    unreached: Conditions | None = None,
    restarts: bool = False,
) -> Scheme:
    """The usual scheme: both arms' series carry the workload and its version."""
    conditions: Conditions = (
        *also,
        (namespace, "=", Field.NAMESPACE),
        (workload, "=", Field.WORKLOAD),
        (version, "=", Field.VERSION),
        (version, "!=", Field.NOT_VERSION),
    )
    pods = namespace if restarts else Scheme.pods
    return Scheme((conditions,), (conditions,), unreached, version, restarts, pods)


ISTIO = by_labels(
    "destination_workload_namespace",
    "destination_workload",
    "destination_version",
    ("reporter", "=", Field.REPORTER),
    unreached=(
        ("reporter", "=", "source"),
        ("destination_workload", "=", "unknown"),
        ("destination_service_namespace", "=", Field.NAMESPACE),
        ("destination_service_name", "=", Field.BACKEND),
        ("response_flags", "=~", "(.*,)?UH(,.*)?"),
    ),
)


def _nginx(canary: str) -> Alternatives:
    """The controller's label `namespace` is renamed if Prometheus has one for the target."""
    of_ingress: Conditions = (("ingress", "=", Field.SERVICE), ("canary", canary, ""))
    return (
        (("namespace", "=", Field.NAMESPACE), ("exported_namespace", "=", ""), *of_ingress),
        (("exported_namespace", "=", Field.NAMESPACE), *of_ingress),
    )


NGINX = Scheme(canary=_nginx("!="), stable=_nginx("="))
"""ingress-nginx names the canary's backend in `canary`, and does not know versions."""

APPLICATION = by_labels("namespace", "app", "version", restarts=True)
"""As a PodMonitor gives them whose podTargetLabels are `app` and `version`."""

_FAMILIES = {"istio_": ISTIO, "nginx_ingress_controller_": NGINX}


def scheme_of(metric: str, application: Scheme = APPLICATION) -> Scheme:
    """The scheme of a metric of this name; `application` is that of the service's own."""
    families = (scheme for prefix, scheme in _FAMILIES.items() if metric.startswith(prefix))
    return next(families, application)
