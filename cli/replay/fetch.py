"""Reads a service's past from Prometheus: one bounded query per hour, a few at a time."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cli.replay.errors import ReplayError
from cli.replay.history import HOUR, Chunk, Tally
from plugin.counts.answer import Answer, Part
from plugin.indicators import PRESETS, Arm, Field, Indicator, Source
from plugin.judge import Source as Counters
from plugin.prometheus import ConfigError, QueryError
from plugin.promql.query import REPLICAS, Query, union
from plugin.question import Question
from plugin.slo import Objective
from plugin.slo.units import format_duration
from plugin.statistics.evidence import Array

_IN_FLIGHT = 4
_GIVE_UP_AFTER = 5
"""Hours in a row that cannot be read: Prometheus is gone, and no number of tries will help."""


@dataclass(frozen=True)
class Range:
    """Full hours of the past, the first of them beginning at `start` (Unix seconds)."""

    start: int
    hours: int


def past_hours(now: float, seconds: int) -> Range:
    """The full hours of the last `seconds`; the hour that goes on is left out."""
    hours = seconds // HOUR
    return Range(int(now) // HOUR * HOUR - hours * HOUR, hours)


class Reader:
    """Asks for the history of the question's workloads, canary and stable together.

    `step` is the scrape interval in seconds, `reporter` the side of Istio's metrics. `chunks` fills
    as hours arrive, newest first, so that whoever interrupts the reading keeps what is there; an
    hour that could not be read is None, and `faults` say why. `lacking` says by objective what its
    counts did not tell, of an hour or more.
    """

    def __init__(self, question: Question, step: int, reporter: str) -> None:
        self.chunks: dict[int, Chunk | None] = {}
        self.faults: list[str] = []
        self.lacking: dict[str, str] = {}
        self._status = PRESETS[question.metrics].status
        self._step = step
        self._indicators = question.indicators
        arms = list(_whole_service(question, reporter))
        self._parts = [
            self._part(one, source, arms) for one in self._indicators for source in one.sources
        ]
        self._elsewhere = {
            one.name: Part(f"{one.name} elsewhere", " or ".join(texts), counts=False)
            for one in self._indicators
            if (texts := [text for arm in arms if (text := one.elsewhere("stable", arm))])
        }

    async def read(self, source: Counters, span: Range, progress: Callable[[], None]) -> None:
        """Raises ReplayError if Prometheus refuses, or does not answer at all."""
        newest = span.hours - 1
        await self._hours(source, span, [newest], progress)
        if self.faults:
            raise ReplayError(f"--prometheus: {self.faults[0]}; correct it or the address, or wait")
        await self._hours(source, span, range(newest - 1, -1, -1), progress)

    async def _hours(
        self, source: Counters, span: Range, hours: Iterable[int], progress: Callable[[], None]
    ) -> None:
        queue, lost = iter(hours), 0

        async def work() -> None:
            nonlocal lost
            for hour in queue:
                try:
                    self.chunks[hour] = await self._hour(source, span.start + hour * HOUR)
                    lost = 0
                except QueryError as error:
                    self.chunks[hour] = None
                    self.faults.append(str(error))
                    lost += 1
                    if lost >= _GIVE_UP_AFTER:
                        raise ReplayError(
                            f"--prometheus: {error}, for {lost} hours of the past in a row; ask "
                            "for a shorter --since, or when it has less to do"
                        ) from None
                except ConfigError as error:
                    raise ReplayError(f"--prometheus: {error}") from None
                progress()

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_IN_FLIGHT):
                    group.create_task(work())
        except* ReplayError as errors:
            raise errors.exceptions[0] from None

    async def _hour(self, source: Counters, start: int) -> Chunk:
        """The counts of one hour. Raises QueryError, ConfigError or ReplayError."""
        parts = [*self._parts, *self._elsewhere.values()]
        text = union(map(str, parts))
        query = Query(text, start + self._step, start + HOUR, self._step)
        answer = Answer.of(await source.query_range(query), query, parts)
        for name, part in self._elsewhere.items():
            if (answer.value(part.name) > 0).any():
                raise ReplayError(
                    f"--question: slo.ratios.{name}: its parts are scraped from different targets, "
                    "each at its own time; name two counters that one target has"
                )
        return {one.name: self._fold(one, answer) for one in self._indicators}

    def _fold(self, one: Indicator, answer: Answer) -> Mapping[str, Tally]:
        """Counts per version, all versions read alike."""
        counted: dict[str, dict[str, dict[tuple[str, ...], Array]]] = {}
        for source in one.sources:
            for labels, counts in answer.counts[_name(one, source)].items():
                by, version = labels[: len(source.by)], "".join(labels[len(source.by) :])
                counted.setdefault(version, {}).setdefault(source.key, {})[by] = counts
        if one.lacking(counted):
            self.lacking[one.name] = _what_lacks(one.objective, self._status)
        folded = one.fold(counted, answer.query.intervals)
        # A scrape between two updates may see more bad ones than all.
        return {
            version: Tally(np.minimum(bad, total), total)
            for version, (bad, total) in folded.items()
        }

    def _part(self, one: Indicator, source: Source, arms: Iterable[Arm]) -> Part:
        """The series of all arms, each once, told apart by version where there is one."""
        series = {
            text: None
            for arm in arms
            for name in ("canary", "stable")
            for text in source.selectors(name, arm)
        }
        text = source.counted(series, self._step, REPLICAS)
        return Part(_name(one, source), text, (*source.by, *_version(source)))


def _whole_service(question: Question, reporter: str) -> Iterable[Arm]:
    """Both arms of any release: every version, and Flagger's stable copy under its own name."""
    canary, stable = question.arms.canary.workload, question.arms.stable.workload
    for workload in dict.fromkeys((canary, stable, f"{canary}-primary")):
        yield {
            **question.arm("stable", reporter),
            Field.WORKLOAD: workload,
            Field.VERSION: None,
            Field.NOT_VERSION: None,
        }


def _what_lacks(objective: Objective, status: Sequence[str]) -> str:
    """What to look for where events are counted, and not which of them were good. `status` are the
    labels that tell the HTTP status.
    """
    if objective.ratio is not None:
        return f"no good event of {objective.name} was counted: is its counter scraped?"
    if objective.threshold is None:
        labels = " or ".join(status)
        return f"too many requests carry no HTTP status (label {labels}) to tell which failed"
    return (
        f"--slo: of the requests counted for {objective.name} none was within "
        f"{format_duration(objective.threshold)}: is that bucket in the latency histogram? Choose "
        "a threshold that is"
    )


def _name(one: Indicator, source: Source) -> str:
    return f"{one.name} {source.key}".rstrip()


def _version(source: Source) -> tuple[str, ...]:
    return (source.scheme.version,) if source.scheme.version else ()
