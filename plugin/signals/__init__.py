"""What is no ratio: values that must stay within bounds, and the health of the canary's pods."""

from plugin.signals.ask import parts
from plugin.signals.health import attempt_pods
from plugin.signals.signal import Signal
from plugin.signals.watched import watched

__all__ = ["Signal", "attempt_pods", "parts", "watched"]
