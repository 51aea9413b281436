"""What a service promises, and by whose metrics that is measured."""

from pydantic import Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from plugin.indicators.expressions import check_expressions
from plugin.indicators.presets import Histograms, Metrics
from plugin.slo import SLO
from plugin.slo.buckets import check_istio_buckets

MEASURED = {"metrics", "histograms"}
"""The keys that say where, and not what. The judge is asked for them beside the SLO."""


class MeasuredSLO(SLO):
    """Objectives, and where their requests are counted: for the judge, the rules and the alerts.

    The labels of the service's own metrics are not chosen: whoever scrapes a pod copies its labels.
    """

    metrics: Metrics = Field(
        default="istio",
        description="where requests are counted: by the callers' proxies (istio) or by the "
        "application itself (spring, prom-client); without a canary also by ingress-nginx (nginx)",
    )
    histograms: Histograms = Field(
        default="classic",
        description="how Prometheus keeps the latency histogram: as a series per bucket (classic) "
        "or as one series (native)",
    )

    def check(self, *, canary: bool) -> None:
        """Raise a ValidationError if these metrics cannot measure it, with or without a canary."""
        if canary and self.metrics == "nginx":
            problem = InitErrorDetails(type=_BEFORE_THE_SPLIT, loc=("metrics",), input="nginx")
            raise ValidationError.from_exception_data("SLO", [problem])
        if self.metrics == "istio" and self.histograms == "classic":
            check_istio_buckets(self)
        check_expressions(self)


_BEFORE_THE_SPLIT = PydanticCustomError(
    "metrics",
    "nginx cannot tell the canary from stable: Istio splits the traffic behind it; write istio, "
    "spring or prom-client",
)
