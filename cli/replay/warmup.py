"""How long fresh pods fail more often: read from past releases, if versions are visible. Pure.

A cold cache or an unfilled connection pool shows as failures in a version's first minutes that are
gone later, in release after release. All visible releases are laid over each other by their age.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log

import numpy as np

from cli.replay.history import HOUR, Chunks, Tally
from plugin.statistics.evidence import Array

_BIN_SECONDS = 30
_YOUNG_SECONDS, _SETTLED_SECONDS = 600, 1200
_FLOOR = 0.1
"""Failures expected at least, where none were ever seen in settled pods."""
_BEFORE_SECONDS = 600
"""The service must have been seen so long before, or the version may be older than the history."""
_KINDS = ("bad", "total")
_LEAST_RELEASES = 3
"""A single one tells of itself, not of what fresh pods do."""
_CHANCE = log(1000)
"""So improbable (as -ln of the probability) must chance be."""


@dataclass(frozen=True)
class WarmUp:
    """What `releases` past releases show: `seconds` of more failures (0: none seen).

    The bad ratio within that time (or the first minute), and when settled (10 to 20 minutes old).
    """

    releases: int
    seconds: int
    young: float
    settled: float


def observe(chunks: Chunks, objective: str, step: int, clump: float) -> WarmUp | None:
    """None if fewer than three releases can be seen in this history. `clump` is the failures' φ."""
    found = list(_first_minutes(chunks, objective, step))
    if len(found) < _LEAST_RELEASES:
        return None
    bad, total = (np.sum([getattr(one, kind) for one in found], axis=0) for kind in _KINDS)
    young = _YOUNG_SECONDS // step
    settled = _ratio(bad[young:], total[young:])
    width = max(1, _BIN_SECONDS // step)
    warm = 0
    for begins in range(0, young, width):
        here = slice(begins, begins + width)
        expected = max(settled * float(total[here].sum()), _FLOOR)
        if surprise(float(bad[here].sum()) / clump, expected / clump) < _CHANCE:
            break
        warm = begins + width
    first = warm or max(1, 60 // step)
    return WarmUp(len(found), warm * step, _ratio(bad[:first], total[:first]), settled)


def surprise(count: float, expected: float) -> float:
    """At least -ln of the probability of so many events or more (Chernoff's bound for Poisson)."""
    return count * log(count / expected) - (count - expected) if count > expected else 0.0


def _first_minutes(chunks: Chunks, objective: str, step: int) -> Iterator[Tally]:
    """Counts by age of each version that began within the history and lived long enough."""
    ages, before, per_hour = _SETTLED_SECONDS // step, _BEFORE_SECONDS // step, HOUR // step
    lives = _lives(chunks, objective, per_hour)
    known_from = min((born for born, _ in lives.values()), default=0)
    for version, (born, last) in lives.items():
        first = born // per_hour
        read = all(chunks.get((born + at) // per_hour) for at in (-before, 0, ages - 1))
        if version and read and born - before >= known_from and last - born >= ages:
            here = slice(born - first * per_hour, born - first * per_hour + ages)
            hours = [_of(chunks, hour, objective, version, per_hour) for hour in (first, first + 1)]
            bad, total = (np.concatenate([getattr(one, kind) for one in hours]) for kind in _KINDS)
            yield Tally(bad[here], total[here])


def _lives(chunks: Chunks, objective: str, per_hour: int) -> dict[str, tuple[int, int]]:
    """By version: the first and the last interval in which it had requests."""
    lives: dict[str, tuple[int, int]] = {}
    for hour in sorted(chunks):
        for version, tally in (chunks[hour] or {}).get(objective, {}).items():
            busy = np.flatnonzero(tally.total) + hour * per_hour
            if len(busy):
                born, _ = lives.get(version, (int(busy[0]), 0))
                lives[version] = born, int(busy[-1])
    return lives


def _of(chunks: Chunks, hour: int, objective: str, version: str, per_hour: int) -> Tally:
    nothing = Tally(np.zeros(per_hour), np.zeros(per_hour))
    return (chunks.get(hour) or {}).get(objective, {}).get(version, nothing)


def _ratio(bad: Array, total: Array) -> float:
    return float(bad.sum() / total.sum()) if total.any() else 0.0
