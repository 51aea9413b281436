"""What each objective says of a release now. Pure; replays decide by it, too."""

from collections.abc import Collection

from plugin.counts import Counts
from plugin.question import Question
from plugin.statistics.limits import Limits
from plugin.verdict.case import Case
from plugin.verdict.progress import Progress

_SLACK_SECONDS, _SCRAPES = 15, 3
"""Counts of both arms are fresh for so long, and one interval. By design the newest are a scrape,
up to 5 s and up to an interval old; the rest is for a scrape that fails and for few requests."""


def weigh(
    question: Question,
    counts: Counts,
    now: float,
    scrape_interval: int,
    apart: Collection[str] = (),
) -> tuple[Case, ...]:
    """One case per objective. `now` is in Unix seconds, `scrape_interval` in seconds.

    `apart` are the objectives whose arms are scraped each at its own time (`Question.apart`).
    """
    progress = Progress.of(counts, question)
    compared, old = counts.compared, age(counts, now)
    newest = _SLACK_SECONDS + _SCRAPES * scrape_interval + counts.seconds
    fresh = old is not None and old <= newest
    fresh = fresh and not counts.unsettled and counts.rarely is None
    held = counts.unscraped.keys() | counts.bursting
    return tuple(
        Case(
            objective=objective,
            limits=Limits.of(objective, question.slo, question.policy, question.exposure),
            policy=question.policy,
            rollout=compared[objective.name],
            seconds=counts.seconds,
            progress=progress,
            fresh=fresh and objective.name not in held,
            apart=objective.name in apart,
        )
        for objective in question.slo.objectives
    )


def age(counts: Counts, now: float) -> float | None:
    """Seconds since both arms were last seen with requests; None if they never were."""
    ends = counts.ends[counts.traffic.comparable]
    return now - float(ends[-1]) if len(ends) else None
