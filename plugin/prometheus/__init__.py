"""Ask Prometheus, or anything that speaks its HTTP API, without ever trusting the answer.

An answer is complete and well-formed, or it is an error: a verdict built on half of the data could
promote or abort for the wrong reason.
"""

from plugin.prometheus.access import Access
from plugin.prometheus.answers import Sample, Series
from plugin.prometheus.client import Prometheus
from plugin.prometheus.errors import ConfigError, PrometheusError, QueryError

__all__ = [
    "Access",
    "ConfigError",
    "Prometheus",
    "PrometheusError",
    "QueryError",
    "Sample",
    "Series",
]
