"""Where well-known instrumentation counts requests, as data."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from plugin.promql.matchers import Matcher

Metrics = Literal["istio", "spring", "prom-client", "nginx"]
"""The names of the presets."""

Histograms = Literal["classic", "native"]
"""How Prometheus keeps a preset's histogram: as a series per bucket, or as one series."""

GRPC_SERVER_ERRORS = ("2", "4", "12", "13", "14", "15")
"""Unknown, deadline exceeded, unimplemented, internal, unavailable, data loss: those that are the
server's fault by OpenTelemetry's semantic conventions for gRPC."""


@dataclass(frozen=True)
class Preset:
    """The metrics of one instrumentation.

    `requests` is a counter, and the first of the labels `status` that is there tells the HTTP
    status; the label `grpc` tells gRPC's, whose HTTP status is 200 whatever went wrong.
    `durations` is the histogram's name without `_bucket`, its bounds counted in `unit`.
    `only` are conditions for what counts as a request at all.
    """

    requests: str
    status: tuple[str, ...]
    durations: str
    unit: timedelta
    only: tuple[Matcher, ...] = ()
    grpc: str | None = None

    def bound(self, threshold: timedelta) -> Decimal:
        """The threshold in the histogram's unit, exactly."""
        microsecond = timedelta(microseconds=1)
        return Decimal(threshold // microsecond) / (self.unit // microsecond)


PRESETS = {
    "istio": Preset(
        requests="istio_requests_total",
        status=("response_code",),
        durations="istio_request_duration_milliseconds",
        unit=timedelta(milliseconds=1),
        grpc="grpc_response_status",
    ),
    "spring": Preset(
        requests="http_server_requests_seconds_count",
        status=("status",),
        durations="http_server_requests_seconds",
        unit=timedelta(seconds=1),
        # The probes of the kubelet are requests too, and none that a user waits for.
        only=(Matcher("uri", "!~", "/actuator.*"),),
    ),
    "prom-client": Preset(
        requests="http_requests_total",
        status=("status_code", "code", "status"),
        durations="http_request_duration_seconds",
        unit=timedelta(seconds=1),
    ),
    "nginx": Preset(
        requests="nginx_ingress_controller_requests",
        status=("status",),
        durations="nginx_ingress_controller_request_duration_seconds",
        unit=timedelta(seconds=1),
    ),
}
