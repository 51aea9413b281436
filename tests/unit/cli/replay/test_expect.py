"""The power formulas are asked about the plan that is replayed."""

from cli.replay.campaign import Scenario
from cli.replay.expect import median_seconds
from cli.replay.history import History, assemble
from tests.unit.cli.replay.conftest import MakeChunks, MakePlan

IDENTICAL = Scenario("as given")


def history(chunks: MakeChunks, rate: float = 1000) -> History:
    return assemble(chunks(2, rate=rate), 0, 15, ["availability"])


def worse(extra: float) -> Scenario:
    return Scenario("as given", "availability", extra)


def test_larger_regressions_are_caught_sooner(plan: MakePlan, chunks: MakeChunks) -> None:
    small, large = (median_seconds(history(chunks), plan(), worse(one)) for one in (0.005, 0.05))
    assert small is not None
    assert large is not None
    assert plan().lag < large < small < 300


def test_tempering_and_warm_up_take_time(plan: MakePlan, chunks: MakeChunks) -> None:
    past = history(chunks)
    plain = median_seconds(past, plan(), worse(0.01))
    tempered = median_seconds(past, plan("burst=3"), worse(0.01))
    warm = median_seconds(past, plan("warm_up=60s"), worse(0.01))
    assert plain is not None
    assert tempered is not None
    assert tempered > 1.5 * plain - plan().lag
    assert warm == plain + 60


def test_an_identical_version_is_expected_to_pass_all_stages(
    plan: MakePlan, chunks: MakeChunks
) -> None:
    busy = median_seconds(history(chunks, rate=5000), plan(), IDENTICAL)
    assert busy is not None
    assert 2 * plan().lag < busy < plan().seconds


def test_what_the_formulas_do_not_reach_is_unknown(plan: MakePlan, chunks: MakeChunks) -> None:
    quiet = history(chunks, rate=5)
    assert median_seconds(quiet, plan(), IDENTICAL) is None
    assert median_seconds(quiet, plan(), worse(0.002)) is None
