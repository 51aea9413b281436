"""The judge's HTTP API."""
