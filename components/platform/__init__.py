"""What a stack needs before its services: their namespaces and the judge."""

from components.platform.component import Platform

__all__ = ["Platform"]
