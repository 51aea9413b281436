"""The numbers are those of all releases, and what makes them less than they seem is said."""

from dataclasses import replace

from cli.replay.campaign import Replayed, Results, Scenario
from cli.replay.result import ADVISED, GIVEN, Report, row, surely_above, warnings
from cli.replay.simulate import Ending, Outcome
from tests.unit.cli.replay.conftest import MakeReport


def outcomes(*ended: tuple[Ending, float]) -> list[Replayed]:
    return [
        Replayed(0, Outcome(ending, seconds, {"availability": seconds / 10}))
        for ending, seconds in ended
    ]


def test_times_are_those_of_all_releases_not_of_the_lucky_ones() -> None:
    scenario = Scenario("as given")
    results = Results(
        {scenario: outcomes((Ending.PROMOTED, 60), (Ending.HELD, 300), (Ending.HELD, 300))}
    )
    found = row(results, scenario, expected=None)
    assert (found.promoted, found.held, found.aborted) == (1, 2, 0)
    assert (found.median, found.p90) == (None, None)


def test_a_regression_is_timed_until_it_is_aborted() -> None:
    scenario = Scenario("as given", "availability", 0.01)
    ended = [(Ending.ABORTED, float(seconds)) for seconds in range(60, 70)]
    found = row(Results({scenario: outcomes(*ended)}), scenario, expected=61.0)
    assert (found.median, found.p90, found.canary_bad) == (65, 69, 6.45)


def test_false_aborts_beyond_chance_are_pointed_out() -> None:
    assert not surely_above(3, 200, 0.01)
    assert surely_above(20, 200, 0.01)


def promoted(report: Report, plan: str, count: int) -> list[str]:
    """The warnings, were so many of 100 identical releases by this plan promoted."""
    ended = [(Ending.PROMOTED, 900.0)] * count + [(Ending.HELD, 1800.0)] * (100 - count)
    results = Results({Scenario(plan): outcomes(*ended)})
    return warnings(replace(report, results=results))


def test_a_recommendation_that_promotes_too_few_good_releases_says_so(make: MakeReport) -> None:
    found = make(starts=0)
    line = (
        "70.0% of identical releases are promoted with the recommended settings, and 90% should be"
    )
    assert any(
        one.startswith(f"{line}: give a longer --since") for one in promoted(found, ADVISED, 70)
    )
    assert promoted(found, ADVISED, 85) == []  # may be chance
    assert promoted(found, GIVEN, 70) == []  # that is why others are recommended
    kept = replace(found, plans={GIVEN: found.plans[GIVEN]})
    assert any(line in one for one in promoted(kept, GIVEN, 70))


def test_too_little_traffic_is_said_plainly(make: MakeReport) -> None:
    lines = warnings(make(rate=0.2, clump=1, starts=2))
    assert any("too little traffic: at 10 % the canary gets 0.3 requests" in line for line in lines)
    assert any("proves no release harmless" in line for line in lines)


def test_what_was_left_out_is_said_by_objective(make: MakeReport) -> None:
    found = make(starts=0)
    history = replace(found.history, dropped={"availability": 2, "latency": 0, "payments": 1})
    findings = replace(found.advice.findings, history=history)
    lines = warnings(replace(found, advice=replace(found.advice, findings=findings)))
    assert any("left out, as the judge does: 2 of availability, 1 of payments" in x for x in lines)
    assert not any("left out" in line for line in warnings(found))
