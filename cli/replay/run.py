"""One replay, from Prometheus to the report."""

import asyncio
import time

from cli.replay import campaign, fetch, history
from cli.replay.campaign import Campaign, Results
from cli.replay.errors import ReplayError
from cli.replay.fetch import Reader
from cli.replay.history import HOUR
from cli.replay.inputs import Request
from cli.replay.progress import Tick, progress
from cli.replay.recommend import advise
from cli.replay.result import ADVISED, GIVEN, Report
from cli.replay.study import study
from plugin.prometheus import Prometheus
from plugin.settings import Settings


def run(request: Request, settings: Settings, seed: int) -> Report | None:
    """Reads the past, recommends and replays; `seed` is that of the random splits.

    Ctrl-C ends what is under way and keeps what is done; None if there is nothing to tell by then.
    Raises ReplayError if the past cannot be replayed.
    """
    plan = request.plan
    span = fetch.past_hours(time.time(), request.since)
    reader = Reader(plan.question, plan.scrape, plan.reporter)
    interrupted = _read(reader, settings, span)
    names = [one.name for one in plan.objectives]
    past = history.assemble(reader.chunks, span.start, plan.scrape, names)
    if interrupted and not past.traffic.any():
        return None
    service = f"{plan.question.namespace}/{plan.question.service}"
    history.check(past, service, reader.lacking)
    findings = study(past, reader.chunks)
    advice = advise(plan, findings, seed)
    plans = {GIVEN: plan} if advice.plan == plan else {GIVEN: plan, ADVISED: advice.plan}
    scenarios = campaign.scenarios(plans, request.extras)
    releases = Campaign(past, findings.past, plans, scenarios, seed)
    results = Results()
    if not interrupted:
        interrupted = _replay(releases, results)
    return Report(advice, plans, scenarios, results, reader.faults, interrupted)


def _read(reader: Reader, settings: Settings, span: fetch.Range) -> bool:
    """Fills the reader; whether that was interrupted."""

    async def read(tick: Tick) -> None:
        source = Prometheus(
            str(settings.prometheus_url),
            lambda *_: None,
            settings.access,
            tolerance=HOUR,  # whole hours of the past are read, wherever this program runs
        )
        try:
            await reader.read(source, span, tick)
        finally:
            await source.close()

    try:
        with progress("reading the past", "hours", span.hours) as tick:
            asyncio.run(read(tick))
    except KeyboardInterrupt:
        return True
    return False


def _replay(releases: Campaign, results: Results) -> bool:
    """Fills the results; whether that was interrupted."""
    starts = releases.starts()
    if not starts:
        raise ReplayError(
            "the history is too short for the stages: give a longer --since or shorter --stages"
        )
    try:
        with progress("replaying", "starts", len(starts)) as tick:
            for _ in releases.run(starts, results):
                tick()
    except KeyboardInterrupt:
        return True
    return False
