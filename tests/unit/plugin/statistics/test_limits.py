"""What an objective allows: everything follows from the SLO, unless a team says otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.policy import Policy
from plugin.slo import SLO
from plugin.statistics.limits import Limits

SLO_99 = SLO.model_validate({"availability": 99, "latency": {"percentile": 95, "threshold": "1s"}})
AVAILABILITY, LATENCY = SLO_99.objectives


def test_margins_and_levels_follow_from_the_slo() -> None:
    availability = Limits.of(AVAILABILITY, SLO_99, Policy())
    assert availability.pass_margin == pytest.approx(0.01)
    assert availability.fail_margin == pytest.approx(0.0025)
    assert availability.fast_burn == pytest.approx(0.144)
    assert availability.slow_burn == pytest.approx(0.06)
    assert availability.fail_level == pytest.approx(0.0045)
    assert availability.burn_level == pytest.approx(0.0005)


def test_the_chance_of_a_false_abort_is_shared_by_all_objectives() -> None:
    """However many a team adds, a good release is aborted no more often."""
    for ratios in range(6):
        own = {
            f"r{n}": {"bad": "bad_total", "total": "all_total", "target": 99} for n in range(ratios)
        }
        slo = SLO.model_validate({"availability": 99, "ratios": own})
        each = [Limits.of(one, slo, Policy()) for one in slo.objectives]
        tests = [level for one in each for level in (one.fail_level, one.burn_level)]
        assert sum(tests) == pytest.approx(Policy().false_abort)


def test_a_generous_objective_has_no_generous_margin() -> None:
    slo = SLO.model_validate({"latency": {"percentile": 50, "threshold": "100ms"}})
    assert Limits.of(slo.objectives[0], slo, Policy()).pass_margin == pytest.approx(0.05)


def test_what_a_pass_may_cost_is_of_the_whole_service() -> None:
    """Before 30 % of the traffic a canary may be worse by three times as much as before all."""
    margins = [
        Limits.of(AVAILABILITY, SLO_99, Policy(), exposure).pass_margin
        for exposure in (0.3, 0.6, 1.0)
    ]
    assert margins == pytest.approx([0.01 / 0.3, 0.01 / 0.6, 0.01])


@given(st.floats(0.01, 1), st.floats(0.25, 10))
def test_no_exposure_allows_what_would_page(exposure: float, pass_margin: float) -> None:
    policy = Policy(pass_margin=pass_margin)
    for one in SLO_99.objectives:
        limits, full = (Limits.of(one, SLO_99, policy, share) for share in (exposure, 1.0))
        assert full.pass_margin <= limits.pass_margin
        assert limits.pass_margin <= max(full.pass_margin, limits.slow_burn)
        assert limits.fail_margin == full.fail_margin
