"""Every hour is replayed under every plan, and an interrupted replay speaks of all of the past."""

import pytest

from cli.replay.campaign import Campaign, Results, Scenario, scenarios
from cli.replay.history import assemble
from cli.replay.study import study
from tests.unit.cli.replay.conftest import MakeChunks, MakePlan


@pytest.fixture
def campaign(plan: MakePlan, chunks: MakeChunks) -> Campaign:
    seen = chunks(12, rate=50)
    history = assemble(seen, 0, 15, ["availability"])
    plans = {"as given": plan(), "recommended": plan("burst=2")}
    todo = scenarios(plans, {"availability": (0.05,)})
    return Campaign(history, study(history, seen).past, plans, todo, seed=1)


def test_identical_versions_and_regressions_under_each_plan(campaign: Campaign) -> None:
    assert campaign.scenarios == [
        Scenario("as given"),
        Scenario("recommended"),
        Scenario("as given", "availability", 0.05),
        Scenario("recommended", "availability", 0.05),
    ]


def test_every_hour_is_a_start_and_few_hours_are_split_often(campaign: Campaign) -> None:
    starts = campaign.starts()
    assert {hour for hour, _ in starts} == set(range(12))
    assert len(starts) >= 200
    assert len(set(starts)) == len(starts)
    assert starts != sorted(starts)


def test_a_release_does_not_outlast_the_past(plan: MakePlan, chunks: MakeChunks) -> None:
    history = assemble(chunks(3), 0, 15, ["availability"])
    long = {"as given": plan(stages="10:60m,50:45m")}
    starts = Campaign(history, {}, long, [], seed=1).starts()
    assert {hour for hour, _ in starts} == {0, 1}


def test_what_is_done_when_interrupted_is_complete(campaign: Campaign) -> None:
    results = Results()
    for number, _ in enumerate(campaign.run(campaign.starts(), results), start=1):
        if number == 5:
            break
    assert [results.count(one) for one in campaign.scenarios] == [5] * 4
    assert results.count(Scenario("another")) == 0
