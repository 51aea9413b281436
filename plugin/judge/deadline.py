"""An answer in time: whoever asks hangs up after a while, and then never learns the reason."""

import asyncio
from collections.abc import Awaitable

from plugin.judge import Judge, Judgement, cannot_judge
from plugin.prometheus import QueryError
from plugin.question import Question


async def in_time(judge: Judge, question: Question, work: Awaitable[Judgement]) -> Judgement:
    """What `work` comes to or, after `question.answer_within`, that Prometheus is too slow.

    A query that was given up goes on for whoever else asked it.
    """
    seconds = question.answer_within.total_seconds()
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        error = QueryError(f"Prometheus did not answer in {seconds:g} s")
        return cannot_judge(question, error, judge.clock())
