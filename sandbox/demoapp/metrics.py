"""The demo app's own metrics: those that prom-client gives a Node.js service, and orders."""

from http import HTTPStatus

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)

PATH = "/metrics"
CONTENT_TYPE = CONTENT_TYPE_LATEST.encode()
ROUTE = "/*"  # there is one, whatever the path
LABELS = ("method", "route", "status_code")
# Seconds: prom-client's defaults, and 0.3, which no histogram of Istio's has.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.3, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Probes and scrapes are not counted."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "http_requests_total", "Requests.", LABELS, registry=self._registry
        )
        self._durations = Histogram(
            "http_request_duration_seconds",
            "Duration of requests in seconds.",
            LABELS,
            registry=self._registry,
            buckets=BUCKETS,
        )
        self._orders = Counter("orders_total", "Orders.", ("outcome",), registry=self._registry)

    def request(self, method: str, status: HTTPStatus, seconds: float) -> None:
        """Count an answered request."""
        labels = (method, ROUTE, str(status.value))
        self._requests.labels(*labels).inc()
        self._durations.labels(*labels).observe(seconds)

    def order(self, *, failed: bool) -> None:
        """Count an order, whose outcome no status code shows."""
        self._orders.labels("failed" if failed else "accepted").inc()

    def page(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self._registry)
