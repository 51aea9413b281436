"""What to tell whoever must act when a request to Prometheus has failed."""

import ssl

import aiohttp

from plugin.prometheus.answers import refusal
from plugin.prometheus.errors import ConfigError, PrometheusError, QueryError, line

_UNAVAILABLE = {429, 500, 502, 503, 504}
_CREDENTIALS = "look at the credentials in SLUICE_PROMETHEUS_…"
_ADDRESS = "look at SLUICE_PROMETHEUS_URL: it is what stands before /api/v1"
_OTHER_NAMES = {62, 64}
"""OpenSSL's codes for a certificate of another host name, or of another address."""
_REMEDIES = {401: _CREDENTIALS, 403: _CREDENTIALS, 404: _ADDRESS, 405: _ADDRESS}


def refused(status: int, content: bytes) -> PrometheusError:
    """For an answer that is no 200, with Prometheus' own words."""
    remedy = _ADDRESS if 300 <= status < 400 else _REMEDIES.get(status)
    said = f"Prometheus answered {status}: {refusal(content)}"
    if status in _UNAVAILABLE:
        return QueryError(said)
    return ConfigError(f"{said}; {remedy}" if remedy else said)


def untrusted(error: ssl.SSLError) -> ConfigError:
    """For a server that has no certificate, or none that is trusted."""
    # aiohttp wraps what went wrong, and says more of its own objects than of that.
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
    remedy = "does it speak TLS, or is its address http://…?"
    found = str(cause)
    if isinstance(cause, ssl.SSLCertVerificationError):
        found = cause.verify_message.rstrip(".")
        remedy = "name its authority in SLUICE_PROMETHEUS_CA_FILE"
        if cause.verify_code in _OTHER_NAMES:
            remedy = "write a name that its certificate has in SLUICE_PROMETHEUS_URL"
    return ConfigError(f"Prometheus cannot be trusted: {line(found)}; {remedy}")


def unreachable(error: Exception) -> QueryError:
    """For a server that is not there, or hung up."""
    reason = str(error)
    if isinstance(error, aiohttp.ClientConnectorError):
        cause = error.os_error
        reason = f"{error.host}:{error.port}: {cause.strerror or cause}"
    return QueryError(f"Prometheus cannot be reached: {line(reason)}")
