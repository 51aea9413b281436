"""A policy replayed over a service's own past: what it would have aborted, missed and cost."""
