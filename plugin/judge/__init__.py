"""What controllers ask, and the one way to an answer."""

from plugin.judge.judge import Judge, Judgement, cannot_judge
from plugin.judge.source import Source

__all__ = ["Judge", "Judgement", "Source", "cannot_judge"]
