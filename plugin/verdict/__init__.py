"""From evidence to a verdict: ordered rules, one reason each."""

from plugin.verdict.case import Case
from plugin.verdict.decide import Decision, decide
from plugin.verdict.progress import INCIDENT_SECONDS, Progress
from plugin.verdict.reasons import Reason, Verdict

__all__ = [
    "INCIDENT_SECONDS",
    "Case",
    "Decision",
    "Progress",
    "Reason",
    "Verdict",
    "decide",
]
