"""From Prometheus' answer to counts per interval and arm. Pure."""

from plugin.counts.counts import Counts, birth, parts, quiet, read, stage_start

__all__ = ["Counts", "birth", "parts", "quiet", "read", "stage_start"]
