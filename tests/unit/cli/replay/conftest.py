"""A past to replay, and the plan of a service with 99.9 % availability."""

from collections.abc import Callable

import numpy as np
import pytest

from cli.replay import inputs
from cli.replay.campaign import Campaign, Results, scenarios
from cli.replay.history import Chunk, Chunks, Tally, assemble
from cli.replay.plan import Plan
from cli.replay.recommend import advise
from cli.replay.result import ADVISED, GIVEN, Report
from cli.replay.study import study

PER_HOUR = 240

MakePlan = Callable[..., Plan]
MakeChunks = Callable[..., Chunks]
MakeReport = Callable[..., Report]


@pytest.fixture
def plan() -> MakePlan:
    def make(*policy: str, slo: str = "availability=99.9", stages: str = "10:5m,50:10m") -> Plan:
        question = inputs.question_of("checkout", "shop", slo, "istio", policy)
        return Plan(question, inputs.parse_stages(stages), 15, 30)

    return make


@pytest.fixture
def chunks() -> MakeChunks:
    """Hours of requests that fail in clumps of one size."""

    def make(hours: int, rate: float = 200, bad: float = 0.001, clump: int = 1) -> Chunks:
        rng = np.random.default_rng(7)

        def hour() -> Chunk:
            total = rng.poisson(rate * 15, PER_HOUR).astype(float)
            failed = clump * rng.poisson(total * bad / clump).astype(float)
            return {"availability": {"1.0": Tally(np.minimum(failed, total), total)}}

        return {number: hour() for number in range(hours)}

    return make


@pytest.fixture
def make(plan: MakePlan, chunks: MakeChunks) -> MakeReport:
    def made(*, rate: float = 100, clump: int = 5, starts: int = 40, hours: int = 8) -> Report:
        given, seen = plan(), chunks(hours, rate=rate, clump=clump)
        history = assemble(seen, 1_800_000_000, 15, ["availability"])
        findings = study(history, seen)
        advice = advise(given, findings, seed=1)
        plans = {GIVEN: given, ADVISED: advice.plan}
        todo = scenarios(plans, {"availability": (0.01,)})
        campaign, results = Campaign(history, findings.past, plans, todo, 1), Results()
        for _ in campaign.run(campaign.starts()[:starts], results):
            pass
        return Report(advice, plans, todo, results)

    return made
