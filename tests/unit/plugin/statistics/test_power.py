"""What a plan promises must be what the judge then does."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from math import inf, isfinite, log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from plugin.policy import Policy
from plugin.slo import SLO
from plugin.statistics.evidence import HARM, Array, Strata, compare
from plugin.statistics.power import ImpossiblePlanError, PlannedStage, Traffic, drift
from plugin.verdict import Case, Progress, Verdict

ROOT = Path(__file__).parents[4]
SECONDS = 15
ONE_NINE, TWO_NINES, THREE_NINES = (
    SLO.model_validate({"availability": percent}) for percent in (90, 99, 99.9)
)


def stage(
    rate: float = 100,
    weight: float = 10,
    base: float = 0.001,
    slo: SLO = THREE_NINES,
    seconds: float = 1800,
    **policy: object,
) -> PlannedStage:
    return PlannedStage(
        Traffic(rate, weight),
        slo.objectives[0],
        slo,
        Policy.model_validate(policy),
        seconds=seconds,
        base=base,
    )


RATES = st.floats(1, 10_000)
WEIGHTS = st.floats(1, 80)
BASES = st.floats(0, 0.002)
EXTRAS = st.floats(0.0015, 0.5)


def test_growth_is_what_the_counts_of_one_second_give_on_average() -> None:
    """An oracle: the evidence of exactly the expected counts."""
    growth, _ = drift(Traffic(100, 10), HARM, (0.01, 0.001), 0.00025, Policy())
    mean = compare(Strata(*np.array([[0.1], [10.0], [0.09], [90.0]])), HARM)
    assert growth == pytest.approx(mean.gain - 0.00025 * mean.cost)


def test_the_published_growth_of_the_reference_case() -> None:
    """statistics: 100 requests/s at 10 %, 0.1 → 1 %, no margin: 0.1083 nats per second."""
    growth, _ = drift(Traffic(100, 10), HARM, (0.01, 0.001), 0, Policy())
    assert growth.max() == pytest.approx(0.1083, rel=0.01)


class Simulation:
    """Releases judged by the real `Case` after every interval."""

    def __init__(self, planned: PlannedStage, ratio: float, verdict: Verdict, most: int) -> None:
        self.planned, self.ratio, self.verdict, self.most = planned, ratio, verdict, most
        self.random = np.random.default_rng(7)

    def seconds(self, releases: int) -> NDArray[np.float64]:
        """Of counts until the verdict; the middle of the interval in which it was reached."""
        return np.array([(len(strata) - 0.5) * SECONDS for strata in self._counts(releases)])

    def failed(self, releases: int) -> NDArray[np.float64]:
        """The canary's failed requests until the verdict has been given."""
        # The counts end with an interval, and of that the delay has half.
        late = self.planned.traffic.canary * self.ratio * (self.planned.delay - SECONDS / 2)
        return np.array([strata.canary_bad.sum() for strata in self._counts(releases)]) + late

    def _counts(self, releases: int) -> Iterator[Strata]:
        """Up to the interval in which the verdict was reached."""
        for _ in range(releases):
            strata = Strata(*self._arm(self.planned.traffic.canary, self.ratio), *self._stable())
            yield strata[: self._decided(strata)]

    def _decided(self, strata: Strata) -> int:
        # Verdicts of failure stay; so the first is found by halves. A pass is looked for in order.
        if self.verdict is Verdict.FAIL:
            low, high = 0, self.most
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if self._decides(strata[:middle]) else (middle, high)
            return high
        looks = (look for look in range(1, self.most) if self._decides(strata[:look]))
        return next(looks, self.most)

    def _stable(self) -> tuple[Array, Array]:
        return self._arm(self.planned.traffic.stable, self.planned.base)

    def _arm(self, rate: float, ratio: float) -> tuple[Array, Array]:
        total = self.random.poisson(rate * SECONDS, self.most)
        return self.random.binomial(total, ratio).astype(float), total.astype(float)

    def _decides(self, seen: Strata) -> bool:
        planned = self.planned
        judged = Case(
            objective=planned.objective,
            limits=planned.limits,
            policy=planned.policy,
            rollout=seen,
            seconds=SECONDS,
            progress=Progress(),
            fresh=True,
        )
        return judged.reason.verdict is self.verdict


@pytest.mark.parametrize(
    ("planned", "regression"),
    [
        pytest.param(stage(), 0.01, id="0.1 to 1 %"),
        pytest.param(stage(weight=50), 0.003, id="half of the traffic"),
        pytest.param(stage(rate=5), 0.05, id="low traffic"),
        pytest.param(stage(ratio=1.5, fail_margin=0.5), 0.008, id="wider margins"),
    ],
)
def test_times_to_fail_are_those_of_simulated_releases(
    planned: PlannedStage, regression: float
) -> None:
    passage = planned.failing(regression)
    most = int(4 * passage.seconds(0.9) / SECONDS) + 4
    found = Simulation(planned, regression, Verdict.FAIL, most).seconds(150)
    assert passage.seconds(0.5) == pytest.approx(np.quantile(found, 0.5), rel=0.3)
    assert passage.seconds(0.9) == pytest.approx(np.quantile(found, 0.9), rel=0.3)


@pytest.mark.parametrize(
    "planned",
    [
        pytest.param(stage(rate=1000), id="much traffic"),
        pytest.param(stage(rate=5, weight=50, slo=TWO_NINES), id="two nines"),
        pytest.param(stage(rate=300, base=0), id="spotless"),
    ],
)
def test_times_to_pass_are_those_of_simulated_releases(planned: PlannedStage) -> None:
    passage = planned.passing()
    most = int(4 * passage.seconds(0.9) / SECONDS) + 4
    found = Simulation(planned, planned.base, Verdict.PASS, most).seconds(100)
    assert passage.seconds(0.9) == pytest.approx(np.quantile(found, 0.9), rel=0.35)
    # The median is on the safe side: an average release passes somewhat sooner than planned.
    assert 0.8 < passage.seconds(0.5) / np.quantile(found, 0.5) < 1.45


@given(RATES, WEIGHTS, BASES, EXTRAS, st.floats(1.1, 10))
def test_more_traffic_is_never_slower(
    rate: float, weight: float, base: float, extra: float, factor: float
) -> None:
    slow, fast = stage(rate, weight, base), stage(rate * factor, weight, base)
    for share in (0.5, 0.9):
        assert fast.failing(base + extra).seconds(share) <= slow.failing(base + extra).seconds(
            share
        )
        assert fast.passing().seconds(share) <= slow.passing().seconds(share)


@given(RATES, WEIGHTS, BASES, EXTRAS, st.floats(1.05, 5))
def test_a_worse_release_is_never_caught_later(
    rate: float, weight: float, base: float, extra: float, factor: float
) -> None:
    planned = stage(rate, weight, base)
    worse = min(1.0, base + extra * factor)
    assert planned.failing(worse).growth >= planned.failing(base + extra).growth


@given(RATES, WEIGHTS, BASES, EXTRAS)
def test_the_chance_grows_from_nothing_to_certainty(
    rate: float, weight: float, base: float, extra: float
) -> None:
    passage = stage(rate, weight, base).failing(base + extra)
    times = np.geomspace(1e-3, 1e8, 60)
    chances = [passage.chance(seconds) for seconds in (0, *times)]
    assert chances[0] == 0
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(chances))
    assert chances[-1] == pytest.approx(1)


@given(RATES, WEIGHTS, BASES, EXTRAS, st.floats(0.05, 0.95))
def test_the_time_of_a_share_is_when_that_share_has_decided(
    rate: float, weight: float, base: float, extra: float, share: float
) -> None:
    passage = stage(rate, weight, base).failing(base + extra)
    assert passage.chance(passage.seconds(share)) == pytest.approx(share, abs=1e-3)


@given(RATES, WEIGHTS, BASES, EXTRAS, st.floats(1, 20))
def test_bursts_take_as_many_times_longer(
    rate: float, weight: float, base: float, extra: float, burst: float
) -> None:
    usual = stage(rate, weight, base, min_bad=1).failing(base + extra)
    bursty = stage(rate, weight, base, min_bad=1, burst=burst).failing(base + extra)
    assume(usual.seconds(0.5) < 1e6)
    quick = replace(usual, events=0), replace(bursty, events=0)
    assert quick[1].seconds(0.5) == pytest.approx(burst * quick[0].seconds(0.5), rel=1e-4)


def test_a_regression_within_the_fail_margin_is_never_caught() -> None:
    plan = stage().plan(regression=0.0012)
    assert plan.to_fail.median_seconds == inf
    assert plan.to_fail.in_time == 0
    assert not plan.decides


def test_with_more_objectives_it_takes_longer_to_fail() -> None:
    both = SLO.model_validate(
        {"availability": 99.9, "latency": {"percentile": 95, "threshold": "250ms"}}
    )
    assert stage(slo=both).failing(0.01).seconds(0.5) > stage().failing(0.01).seconds(0.5)


def test_min_bad_is_waited_for() -> None:
    strict = stage(min_bad=50).failing(0.01)
    assert strict.seconds(0.5) == pytest.approx(50 / (10 * 0.01), rel=0.02)


@pytest.mark.parametrize("requests", [150, 100_000])
def test_min_requests_is_waited_for(requests: int) -> None:
    planned = stage(rate=10, weight=50, slo=ONE_NINE, base=0, min_requests=requests)
    assert planned.passing().seconds(0.5) == pytest.approx(requests / 5, rel=0.02)


def test_a_service_that_burns_its_budget_anyway_cannot_pass() -> None:
    assert stage(base=0.007).passing().seconds(0.5) == inf
    assert isfinite(stage(base=0.005).passing().seconds(0.5))


def test_a_plan_says_whether_its_stage_can_decide() -> None:
    short, long = (stage(seconds=seconds).plan(0.01) for seconds in (120, 3600))
    assert not short.to_pass.likely
    assert 0.4 < short.to_fail.in_time < 0.9
    assert not short.decides
    assert long.decides


def test_what_lies_before_the_lookback_proves_nothing() -> None:
    whole = stage(seconds=3600).plan(0.01)
    cut = stage(seconds=3600, lookback="10m").plan(0.01)
    assert cut.to_pass.in_time < 0.3 < whole.to_pass.in_time


def test_a_verdict_comes_later_than_its_last_request() -> None:
    """Half an interval, the scrape of every target, and the judge's settling time."""
    planned = stage()
    plan = planned.plan(0.01)
    counts = planned.failing(0.01).seconds(0.5)
    assert plan.to_fail.median_seconds - counts == pytest.approx(7.5 + 15 + 3.75)


def test_the_cost_is_the_share_of_the_window_that_the_canary_spends() -> None:
    """At 10 % weight, 100 times the budget until it is caught, of 30 days of budget."""
    plan = stage().plan(0.1)
    assert plan.cost == pytest.approx(0.1 * 100 * plan.to_fail.p90_seconds / 30 / 86400)


@pytest.mark.parametrize("regression", [0.003, 0.01, 0.05])
def test_the_cost_is_that_of_simulated_releases(regression: float) -> None:
    """Nine of ten cost less; somewhat less, as those caught late have failed less often."""
    planned = stage(seconds=7200)
    plan = planned.plan(regression)
    most = int(plan.to_fail.p90_seconds * 4 / SECONDS) + 4
    found = Simulation(planned, regression, Verdict.FAIL, most).failed(150)
    allowed = 0.001 * 100 * 30 * 86400
    assert 0.85 < plan.cost * allowed / np.quantile(found, 0.9) < 1.5


def test_a_release_that_is_not_caught_costs_no_more_than_its_stage() -> None:
    plan = stage(seconds=60).plan(0.0013)
    assert plan.cost == pytest.approx(0.1 * 1.3 * 60 / 30 / 86400)


@given(RATES, WEIGHTS, BASES, EXTRAS)
def test_no_regression_costs_more_than_the_worst(
    rate: float, weight: float, base: float, extra: float
) -> None:
    plan = stage(rate, weight, base).plan(base + extra)
    whole = weight / 100 * 1800 / (0.001 * timedelta(days=30).total_seconds())
    assert plan.cost <= plan.worst_cost <= whole


@given(
    st.floats(1e-6, 1e6),
    st.floats(1e-3, 99.999),
    st.floats(0, 0.999),
    st.floats(1, 1e7),
    st.integers(1, 1000),
)
def test_an_extreme_stage_has_a_plan_too(
    rate: float, weight: float, base: float, seconds: float, min_bad: int
) -> None:
    plan = stage(rate, weight, base, seconds=seconds, min_bad=min_bad).plan(1.0)
    for times in (plan.to_fail, plan.to_pass):
        assert 0 < times.median_seconds <= times.p90_seconds
        assert 0 <= times.in_time <= 1
    assert 0 <= plan.cost <= plan.worst_cost < inf


@pytest.mark.parametrize(
    ("impossible", "named"),
    [
        (lambda: Traffic(0, 10), "rate"),
        (lambda: Traffic(inf, 10), "rate"),
        (lambda: Traffic(100, 100), "weight"),
        (lambda: Traffic(100, 0), "weight"),
        (lambda: stage(seconds=0), "seconds"),
        (lambda: stage(base=1), "base"),
        (lambda: stage(base=-0.1), "base"),
        (lambda: stage().plan(0.001), "regression"),
        (lambda: stage().plan(1.1), "regression"),
    ],
)
def test_an_impossible_plan_names_the_field(impossible: object, named: str) -> None:
    assert callable(impossible)
    with pytest.raises(ImpossiblePlanError, match=f"^{named}: .*give|^{named}: .*plan"):
        impossible()


def test_levels_come_from_the_policy() -> None:
    """A stricter level needs so many nats more; nothing else changes."""
    usual, strict = stage().failing(0.01), stage(false_abort=0.001).failing(0.01)
    assert strict.goal - usual.goal == pytest.approx(log(10), abs=0.5)


def test_the_example_in_the_docs_says_what_it_computes() -> None:
    text = (ROOT / "docs" / "verdicts.md").read_text()
    (code,) = (one for one in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "power" in one)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 our own
    plan = names["plan"]
    assert f"# {plan.to_fail.median_seconds:.0f}, {plan.to_fail.p90_seconds:.0f}: scrape" in code
    assert f"# {plan.to_pass.in_time:.2f}: the chance" in code
    assert f"plan.decides  # {plan.decides}: " in code
    assert f"# {plan.cost:.5f}, {plan.worst_cost:.4f} of the" in code
