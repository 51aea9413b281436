"""OpenSLO v1 files as the objectives of a service. Contract: github.com/OpenSLO/OpenSLO."""

from components.openslo.findings import OpenSLOError
from components.openslo.load import Imported, load

__all__ = ["Imported", "OpenSLOError", "load"]
