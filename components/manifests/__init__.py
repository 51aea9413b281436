"""Kubernetes objects as plain data, made by pure functions. Nothing here knows Pulumi."""
