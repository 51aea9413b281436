"""What Prometheus answered before. The past does not change, so later looks ask for the rest only.

A release is asked about hundreds of times, and each time about hours, of which the last minute is
new: to ask for all of it again is most of what a judge costs its Prometheus.

What was the newest may have been incomplete: samples that come by remote write are late. So the
last minutes are asked for again, and the older half of those has to be as it was. If it is not,
something has changed that should not, and all is asked for again; and so it is every ten minutes,
for what is later still. Where nothing at all was there, nothing shows that the past is still the
same: the storage may be lost, and then counters that are seen for the first time have all that is
remembered in them.

Nothing is lost with what is kept here. A judge that has just begun asks for all.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from plugin.counts.answer import Answer
from plugin.judge.plan import Plan
from plugin.judge.source import Source
from plugin.promql.query import Query
from plugin.statistics.evidence import Array

_AGAIN_SECONDS, _AGAIN_INTERVALS = 120, 4
"""So much at least is asked for again."""
_RENEWED_SECONDS = 600
"""So long at most something that came very late may not be counted."""
_MOST_BYTES = 12 * 1024 * 1024
"""Some 70 releases with two objectives each and the default stages."""
_ROW_BYTES = 300
"""What a row has beside its values: its key."""
_NEARLY = 1e-9
"""Floating-point sums may differ in their last digits."""


@dataclass(frozen=True)
class _Known:
    """An answer, and the end of the question that last asked for all of it, in Unix seconds."""

    answer: Answer
    since: int

    @property
    def bytes(self) -> int:
        """Its size, nearly: the text of the query is in its parts as well, with as much around."""
        table, text = self.answer.table, self.answer.query.text
        return table.nbytes + _ROW_BYTES * len(table) + 4 * len(text)


class Recall:
    """Answers from `source`, whose past is remembered."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._bytes = 0
        self._under_way: set[asyncio.Task[Answer]] = set()

    async def answer(self, plan: Plan, query: Query) -> Answer:
        """What the query comes to. Raises QueryError or ConfigError.

        It is remembered also if the asker hangs up before. Or else a release about which all takes
        longer to find out than anybody waits would never have an answer.
        """
        task = asyncio.create_task(self._answer(plan, query))
        self._under_way.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    def _finished(self, task: asyncio.Task[Answer]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # marks it as seen: who asked may have hung up

    async def _answer(self, plan: Plan, query: Query) -> Answer:
        earlier = self._known.get(query.text)
        rest = earlier and _rest(query, earlier)
        if earlier and rest:
            answer = joined(earlier.answer, await self._ask(plan, rest), query)
            if answer:
                self._keep(_Known(answer, earlier.since))
                return answer
        answer = await self._ask(plan, query)
        self._keep(_Known(answer, query.end))
        return answer

    async def _ask(self, plan: Plan, query: Query) -> Answer:
        return Answer.of(await self._source.query_range(query), query, plan.parts)

    def _keep(self, known: _Known) -> None:
        """The least recently used go first."""
        query = known.answer.query
        self._forget(query.text)
        if query.intervals <= _again(query.step):
            return  # all of it would be asked for again
        known.answer.table.setflags(write=False)  # for whoever is given it
        # A copy has nothing yet of what the answer is going to be made into.
        self._known[query.text] = replace(known, answer=replace(known.answer))
        self._bytes += known.bytes
        while self._bytes > _MOST_BYTES:
            self._forget(next(iter(self._known)))

    def _forget(self, text: str) -> None:
        known = self._known.pop(text, None)
        self._bytes -= known.bytes if known else 0


def _rest(query: Query, known: _Known) -> Query | None:
    """What has to be asked for beside what is known; None if that is no use any more."""
    earlier, step = known.answer.query, query.step
    start = earlier.end - (_again(step) - 1) * step
    same = step == earlier.step and earlier.start <= query.start < start
    usable = same and earlier.end <= query.end < known.since + _RENEWED_SECONDS
    return replace(query, start=start) if usable else None


def _again(step: int) -> int:
    """How many intervals are asked for again."""
    return max(_AGAIN_INTERVALS, ceil(_AGAIN_SECONDS / step))


def joined(earlier: Answer, rest: Answer, query: Query) -> Answer | None:
    """The answer to `query`: what is known of `earlier` times, and the `rest`. None if they do not
    agree on the past.
    """
    first = (rest.query.start - query.start) // query.step
    both = slice(first, first + _again(query.step) // 2)
    begun = (query.start - earlier.query.start) // query.step
    keys = [*earlier.rows, *(key for key in rest.rows if key not in earlier.rows)]
    table = np.full((len(keys), query.intervals), np.nan)
    past = np.full((len(keys), both.stop), np.nan)
    for row, key in enumerate(keys):
        if key in rest.rows:
            table[row, first:] = rest.table[rest.rows[key]]
        if key in earlier.rows:
            past[row] = earlier.table[earlier.rows[key], begun : begun + both.stop]
    if not _agree(past[:, both], table[:, both]):
        return None
    table[:, :first] = past[:, :first]
    left = np.flatnonzero(~np.isnan(table).all(axis=1))
    rows = {keys[row]: at for at, row in enumerate(left)}
    return replace(rest, query=query, rows=rows, table=table[left])


def _agree(past: Array, again: Array) -> bool:
    """NaN agrees with NaN only, and there has to be more than that."""
    same = np.abs(past - again) <= _NEARLY * np.abs(past)
    silent = np.isnan(past) & np.isnan(again)
    return bool((same | silent).all() and not silent.all())
