"""The Service component: one call per service of a product team."""

from components.service.args import ServiceArgs
from components.service.component import Service

__all__ = ["Service", "ServiceArgs"]
