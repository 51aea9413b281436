"""From Prometheus' answer to counts per interval and arm. Pure."""

from plugin.counts.birth import quiet
from plugin.counts.counts import Counts, parts, read

__all__ = ["Counts", "parts", "quiet", "read"]
