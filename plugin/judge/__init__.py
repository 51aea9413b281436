"""What controllers ask, and the one way to an answer."""

from plugin.judge.judge import Judge, Judgement, Source, cannot_judge

__all__ = ["Judge", "Judgement", "Source", "cannot_judge"]
