"""`python -m benchmarks.verdicts.stages`: what becomes of releases with the default stages?

The judge's own rules decide simulated releases as `sluice replay` lets them, look by look and stage
by stage, with the stages, the rhythm and the policy of a stack that sets nothing.
"""

import argparse
import multiprocessing
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isfinite

import numpy as np
from rich.console import Console
from rich.table import Table

from cli.replay import inputs
from cli.replay.plan import Plan
from cli.replay.simulate import Ending, Outcome, release
from cli.replay.split import Past
from components.spec.policy import ReleasePolicy
from components.spec.stages import Stage

RATES = (10, 30, 100, 300, 1000)
"""Requests per second to both arms together."""
OBJECTIVES = (
    "availability=99",
    "availability=99.5",
    "availability=99.9",
    "availability=99.9,latency=95@250ms",
)
SCRAPE, EVERY = 15, 30
"""Seconds between two scrapes, and between two looks: the defaults of a stack."""
RELEASES, SEED = 1000, 1


@dataclass(frozen=True)
class Situation:
    """One kind of release: of a service with `rate` requests per second and these objectives.

    Stable fails the fraction `base` of each objective's budget, the new version `worse` budgets
    more of the first objective. `stages` are those of a stack that sets none if they are None;
    `policy` is what the service sets, as KEY=VALUE.
    """

    rate: float
    slo: str
    base: float = 0.5
    worse: float = 0.0
    stages: str | None = None
    policy: tuple[str, ...] = ()

    @property
    def plan(self) -> Plan:
        """As the components would ask the judge for a service that sets no more than this."""
        asked = inputs.question_of("checkout", "shop", self.slo, "istio", [])
        stages = inputs.stages_of(self.stages, asked)
        declared = tuple(
            Stage.model_validate({"weight": one.weight, "time": f"{one.seconds}s"})
            for one in stages
        )
        own = ReleasePolicy.model_validate(dict(one.split("=", 1) for one in self.policy))
        policy = [f"{key}={value}" for key, value in own.asked("", declared, EVERY).items()]
        asked = inputs.question_of("checkout", "shop", self.slo, "istio", policy)
        return Plan(asked, stages, SCRAPE, EVERY)

    def outcomes(self, releases: int, seed: int) -> list[Outcome]:
        """Independent failures at a steady rate; the same seed gives the same releases."""
        plan, random = self.plan, np.random.default_rng(seed)
        extra = {plan.objectives[0].name: self.worse * float(plan.objectives[0].budget)}
        length = ceil(plan.seconds / SCRAPE)
        found = []
        for _ in range(releases):
            total = random.poisson(self.rate * SCRAPE, length)
            past = {
                one.name: Past(
                    random.binomial(total, self.base * float(one.budget)).astype(np.float64),
                    total.astype(np.float64),
                    np.ones(length),
                )
                for one in plan.objectives
            }
            found.append(release(random, past, plan, SCRAPE, extra))
        return found


@dataclass(frozen=True)
class Summary:
    """What became of releases of one kind: shares, minutes until promoted, failed requests.

    The median and 90 % are of all of them: infinite if fewer were promoted at all.
    """

    promoted: float
    held: float
    aborted: float
    median: float
    p90: float
    failed: float

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> "Summary":
        endings = [one.ending for one in outcomes]
        minutes = [
            one.seconds / 60 if one.ending is Ending.PROMOTED else float("inf") for one in outcomes
        ]
        failed = [next(iter(one.canary_bad.values()), 0.0) for one in outcomes]
        return cls(
            promoted=endings.count(Ending.PROMOTED) / len(endings),
            held=endings.count(Ending.HELD) / len(endings),
            aborted=endings.count(Ending.ABORTED) / len(endings),
            median=float(np.quantile(minutes, 0.5, method="higher")),
            p90=float(np.quantile(minutes, 0.9, method="higher")),
            failed=float(np.mean(failed)),
        )


def main() -> int:
    """0; 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="stages", description=__doc__)
    parser.add_argument("--releases", type=int, default=RELEASES, help="of each kind")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--rates", type=float, nargs="+", default=RATES, help="requests/s")
    parser.add_argument("--slo", nargs="+", default=OBJECTIVES, help="as for `sluice replay`")
    parser.add_argument("--base", type=float, default=0.5, help="of the budget that stable fails")
    parser.add_argument("--worse", type=float, default=0.0, help="error budgets more than stable")
    parser.add_argument("--stages", help="WEIGHT:TIME of each stage")
    parser.add_argument("--policy", nargs="+", default=(), metavar="KEY=VALUE")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if options.releases < 1:
        parser.error("--releases: simulate at least one release")
    policy = tuple(options.policy)
    work = [
        (
            Situation(rate, slo, options.base, options.worse, options.stages, policy),
            options.releases,
            options.seed,
        )
        for slo in options.slo
        for rate in options.rates
    ]
    with multiprocessing.Pool(options.processes, initializer=os.nice, initargs=(10,)) as pool:
        try:
            found = pool.map(_summary, work, chunksize=1)
        except KeyboardInterrupt:
            return 130
    stages = ", ".join(f"{one.weight} % {one.seconds // 60}m" for one in work[0][0].plan.stages)
    _show(f"{stages}; {options.releases} releases of each kind", [one[0] for one in work], found)
    return 0


def _summary(work: tuple[Situation, int, int]) -> Summary:
    situation, releases, seed = work
    return Summary.of(situation.outcomes(releases, seed))


def _show(title: str, situations: Sequence[Situation], found: Sequence[Summary]) -> None:
    table = Table(box=None, header_style="bold", title=title, title_justify="left")
    table.add_column("objectives")
    for column in ("requests/s", "promoted", "held", "aborted", "median", "90 %", "failed"):
        table.add_column(column, justify="right")
    for situation, one in zip(situations, found, strict=True):
        shares = (f"{100 * share:.1f} %" for share in (one.promoted, one.held, one.aborted))
        times = (f"{time:.0f} min" if isfinite(time) else "-" for time in (one.median, one.p90))
        failed = f"{one.failed:.1f}"
        table.add_row(situation.slo, f"{situation.rate:g}", *shares, *times, failed)
    Console(width=120 if not sys.stdout.isatty() else None).print(table)


if __name__ == "__main__":
    sys.exit(main())
