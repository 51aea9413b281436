"""From evidence to a verdict: ordered rules, one reason each."""

from plugin.verdict.case import Case
from plugin.verdict.decide import Decision, decide
from plugin.verdict.progress import Progress
from plugin.verdict.reasons import Reason, Verdict
from plugin.verdict.weigh import age, weigh

__all__ = [
    "Case",
    "Decision",
    "Progress",
    "Reason",
    "Verdict",
    "age",
    "decide",
    "weigh",
]
