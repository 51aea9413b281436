"""What is no ratio: values that must stay within bounds, and the health of the canary's pods."""

from plugin.signals.ask import parts
from plugin.signals.bounds import within_bounds
from plugin.signals.health import attempt_pods, health
from plugin.signals.signal import Signal

__all__ = ["Signal", "attempt_pods", "health", "parts", "within_bounds"]
