"""Steady, bounded open-loop load on the sandbox's gateway, and what its callers saw."""
