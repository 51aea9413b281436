"""All releases of a replay: every past hour, as it was and with regressions, under each plan."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

import numpy as np

from cli.replay.history import History
from cli.replay.plan import Plan
from cli.replay.simulate import Ending, Outcome, release
from cli.replay.split import Past

_LEAST_RELEASES = 200
"""Per scenario: with fewer past hours each is split more than once."""


@dataclass(frozen=True)
class Scenario:
    """Releases by the plan named `plan`; `extra` of the good requests fail in `objective`."""

    plan: str
    objective: str = ""
    extra: float = 0.0


@dataclass(frozen=True)
class Replayed:
    """One outcome, and the hour of the history in which its release began."""

    hour: int
    outcome: Outcome


@dataclass
class Results:
    """By scenario. An interrupted replay holds as many hours of each as there was time for."""

    releases: dict[Scenario, list[Replayed]] = field(default_factory=dict)

    def endings(self, scenario: Scenario, ending: Ending) -> list[Replayed]:
        return [one for one in self.releases.get(scenario, []) if one.outcome.ending is ending]

    def count(self, scenario: Scenario) -> int:
        return len(self.releases.get(scenario, []))


def scenarios(plans: Mapping[str, Plan], extras: Mapping[str, Sequence[float]]) -> list[Scenario]:
    """Identical versions first, then each regression, under each plan."""
    return [Scenario(plan) for plan in plans] + [
        Scenario(plan, objective, extra)
        for objective, sizes in extras.items()
        for extra in sizes
        for plan in plans
    ]


@dataclass(frozen=True)
class Campaign:
    """Which past, which plans (by name), which scenarios; `seed` is that of the random splits."""

    history: History
    past: Mapping[str, Past]
    plans: Mapping[str, Plan]
    scenarios: Sequence[Scenario]
    seed: int

    def starts(self) -> list[tuple[int, int]]:
        """(hour, number of the split), in an order that covers all of the past at any time."""
        history = self.history
        longest = ceil(max(plan.seconds for plan in self.plans.values()) / history.step)
        last = len(history.traffic) - longest
        hours = [int(hour) for hour in history.usable if hour * history.per_hour <= last]
        splits = ceil(_LEAST_RELEASES / len(hours)) if hours else 0
        found = [(hour, number) for number in range(splits) for hour in hours]
        order = np.random.default_rng(self.seed).permutation(len(found))
        return [found[index] for index in order]

    def run(self, starts: Sequence[tuple[int, int]], results: Results) -> Iterator[None]:
        """Adds to `results`; yields after each start, when its releases are complete."""
        for hour, number in starts:
            done = {one: self._release(one, hour, number) for one in self.scenarios}
            for scenario, one in done.items():
                results.releases.setdefault(scenario, []).append(one)
            yield

    def _release(self, scenario: Scenario, hour: int, number: int) -> Replayed:
        plan, first = self.plans[scenario.plan], hour * self.history.per_hour
        past = {
            name: one[first : first + ceil(plan.seconds / self.history.step)]
            for name, one in self.past.items()
        }
        # The same draws for every scenario: they differ in what they decide, not in luck.
        rng = np.random.default_rng([self.seed, hour, number])
        extra = {scenario.objective: scenario.extra}
        return Replayed(hour, release(rng, past, plan, self.history.step, extra))
