"""Why there are no counts."""


class PrometheusError(Exception):
    """Prometheus gave no answer to build on."""


class QueryError(PrometheusError):
    """It is down, slow, overloaded or answered in part: the same query may succeed later."""


class ConfigError(PrometheusError):
    """It refused the query: wrong address, credentials or limits. Somebody has to act."""


def line(text: str) -> str:
    """The start of a foreign message, on one line."""
    joined = " ".join(text.split())
    return joined if len(joined) <= 200 else joined[:199] + "…"
