"""What the judge says of simulated traffic, and its reason."""

from typing import Any

from plugin.judge import Judge
from plugin.question import Question
from plugin.verdict import Reason

NOW = 1_000_000_003.0


async def sentence(
    traffic: Any, asked: dict[str, Any], scrape_interval: int = 2, **change: Any
) -> tuple[Reason, str]:
    question = Question.model_validate(asked | change)
    judgement = await Judge(traffic, scrape_interval, clock=lambda: NOW).judge(question)
    return judgement.reason, judgement.why
