"""Where the events of an objective are counted for a service as a whole, whatever its versions.

The judge's own selectors (plugin.indicators) tell the arms of a release apart; these do not.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from components import conventions
from components.manifests.slirates import Buckets, Counters, Events, NativeHistograms
from plugin.indicators.presets import GRPC_SERVER_ERRORS, Preset
from plugin.indicators.schemes import ISTIO, NGINX, Reporter, scheme_of
from plugin.promql.expressions import read_counter
from plugin.promql.le import spellings
from plugin.promql.matchers import Matcher, selector
from plugin.slo import Objective

Matchers = tuple[Matcher, ...]


@dataclass(frozen=True)
class Whole:
    """One service: the pods and Services of all its versions.

    `reporter` is the side of Istio's metrics that counts.
    """

    name: str
    namespace: str
    reporter: Reporter = "source"

    def events(self, objective: Objective, preset: Preset, native: bool = False) -> Events:
        """The counters of `objective`, by the preset or by the team's own ratio.

        `native` says that the preset's histogram is a native one.
        """
        if objective.ratio is not None:
            ratio = objective.ratio
            part = self._counter(ratio.bad or ratio.good or "")
            return Counters(self._counter(ratio.total), part, part_is_good=ratio.bad is None)
        if objective.threshold is not None:
            within = self._native if native else self._classic
            return within(preset, preset.bound(objective.threshold))
        failed = [
            # The first of the labels that is there says the status.
            (
                *(Matcher(before, "=", "") for before in preset.status[:at]),
                Matcher(label, "=~", "5.*"),
            )
            for at, label in enumerate(preset.status)
        ]
        if preset.grpc is not None:
            answered = (Matcher(label, "!~", "5.*") for label in preset.status)
            failed.append((*answered, Matcher(preset.grpc, "=~", "|".join(GRPC_SERVER_ERRORS))))
        bad = [one for status in failed for one in self._all(preset.requests, preset.only + status)]
        return Counters(self._all(preset.requests, preset.only), tuple(bad))

    def _classic(self, preset: Preset, bound: Decimal) -> Buckets:
        name = f"{preset.durations}_bucket"
        every = self._all(name, (*preset.only, Matcher("le", "=", "+Inf")))
        within = self._all(name, (*preset.only, Matcher("le", "=~", spellings(bound))))
        return Buckets(every, within)

    def _native(self, preset: Preset, bound: Decimal) -> NativeHistograms:
        return NativeHistograms(self._all(preset.durations, preset.only), bound)

    def _counter(self, promql: str) -> tuple[str, ...]:
        counter = read_counter(promql)
        return self._all(counter.metric, counter.matchers)

    def _all(self, metric: str, matchers: Matchers) -> tuple[str, ...]:
        return tuple(selector(metric, (*own, *matchers)) for own in self._own(metric))

    def _own(self, metric: str) -> tuple[Matchers, ...]:
        """The label conditions of this service's series, by the family of the metric."""
        scheme, copies = scheme_of(metric), (self.name, conventions.primary(self.name))
        if scheme is ISTIO:
            # By the Service and not the workload: a request that found no pod has none.
            services = "|".join((*copies, conventions.canary(self.name)))
            reporter = Matcher("reporter", "=", self.reporter)
            namespace = Matcher("destination_service_namespace", "=", self.namespace)
            return ((reporter, namespace, Matcher("destination_service_name", "=~", services)),)
        namespace = Matcher("namespace", "=", self.namespace)
        if scheme is NGINX:
            # Prometheus renames the label if it has a namespace of its own for the controller.
            ingress = Matcher("ingress", "=", self.name)
            renamed = replace(namespace, label="exported_namespace")
            return (namespace, Matcher("exported_namespace", "=", ""), ingress), (renamed, ingress)
        return ((namespace, Matcher("app", "=~", "|".join(copies))),)
