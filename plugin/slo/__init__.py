"""What a service promises, in the words and units that its team writes."""

from plugin.slo.model import SLO, Bound, Objective
from plugin.slo.promises import CPU, MEMORY, Latency, Model, Ratio, SignalName, is_request

__all__ = [
    "CPU",
    "MEMORY",
    "SLO",
    "Bound",
    "Latency",
    "Model",
    "Objective",
    "Ratio",
    "SignalName",
    "is_request",
]
