"""The judge: from a question to a verdict, and what it does without good data."""

from datetime import timedelta
from typing import Any

import promql_parser
import pytest

from plugin.judge import Judge
from plugin.prometheus import ConfigError, QueryError
from plugin.question import Policy, Question
from plugin.verdict import Reason, Verdict

NOW = 1_000_000_003.0


def judge(traffic: Any, scrape: int = 2) -> Judge:
    return Judge(traffic, scrape, clock=lambda: NOW)


async def test_a_good_release_passes_on_both_objectives(traffic: Any, question: Question) -> None:
    traffic.steady(canary=(10, 0, 0), stable=(90, 0, 0))
    judgement = await judge(traffic).judge(question)
    assert judgement.reason is Reason.NON_INFERIOR
    assert judgement.why == (
        "canary fails 0 % of requests (0 of 600) and stable 0 % (0 of 5,400) in this stage: at "
        "most 0.591 pp more, and the SLO allows 1 %"
    )


async def test_a_failing_release_fails_and_says_so(traffic: Any, question: Question) -> None:
    traffic.steady(10, canary=(10, 1, 0), stable=(90, 0, 0))
    judgement = await judge(traffic).judge(question)
    assert judgement.reason is Reason.REGRESSION
    assert judgement.why == (
        "canary fails 10 % of requests (10 of 100) and stable 0 % (0 of 900): at least 2.4 pp "
        "more, and the SLO allows 1 %"
    )


async def test_a_slow_release_fails_though_it_is_correct(traffic: Any, question: Question) -> None:
    traffic.steady(10, canary=(10, 0, 3), stable=(90, 0, 1))
    judgement = await judge(traffic).judge(question)
    assert judgement.reason is Reason.REGRESSION
    assert judgement.why.startswith("canary exceeds 250ms in 30 % of requests (30 of 100)")


async def test_a_stage_that_has_just_begun_waits_for_its_share(
    traffic: Any, question: Question
) -> None:
    """What passed at 10 % does not promote the moment the weight is 30 %."""
    later = question.model_copy(update={"stage": question.stage.model_copy(update={"weight": 30})})
    traffic.steady(canary=(10, 0, 0), stable=(90, 0, 0))
    judgement = await judge(traffic).judge(later)
    assert judgement.reason is Reason.TRAFFIC_SHARE
    assert judgement.why == (
        "the canary gets 10 % of the requests (150 of 1,500 in the last 30 s) where its stage "
        "gives it 30 %: waiting for its share"
    )


async def test_a_canary_with_far_too_much_traffic_does_not_pass(
    traffic: Any, question: Question
) -> None:
    traffic.steady(canary=(40, 0, 0), stable=(60, 0, 0))
    assert (await judge(traffic).judge(question)).reason is Reason.TRAFFIC_SHARE


@pytest.mark.parametrize(
    ("on_undecided", "reason", "then"),
    [
        ("hold", Reason.GATHERING, "it is held until"),
        ("promote", Reason.UNDECIDED_PROMOTED, "the policy is to go on"),
        ("abort", Reason.UNDECIDED_ABORTED, "the policy is to abort"),
    ],
)
async def test_a_stage_that_had_its_time_is_decided_by_the_policy_and_says_so(
    traffic: Any, asked: dict[str, Any], on_undecided: str, reason: Reason, then: str
) -> None:
    asked["stage"]["time"] = "10s"
    asked["policy"] = {"on_undecided": on_undecided}
    traffic.steady(10, canary=(10, 0, 0), stable=(90, 0, 0))
    judgement = await judge(traffic).judge(Question.model_validate(asked))
    assert judgement.reason is reason
    assert f"the stage had its 10s: {then}" in judgement.why


@pytest.mark.parametrize("on_undecided", ["promote", "abort"])
async def test_an_outage_at_the_deadline_holds(
    traffic: Any, asked: dict[str, Any], on_undecided: str
) -> None:
    """While Prometheus is away, when it is back without new counts, and until they suffice."""
    asked["stage"]["time"] = "40s"
    asked["policy"] = {"on_undecided": on_undecided}
    question = Question.model_validate(asked)
    traffic.error = QueryError("Prometheus cannot be reached: refused")
    assert (await judge(traffic).judge(question)).reason is Reason.QUERY_ERROR
    traffic.error = None
    traffic.steady(20, canary=(1, 0, 0), stable=(9, 0, 0)).age = 30
    assert (await judge(traffic).judge(question)).reason is Reason.NO_DATA
    quiet = [(0.0, 0, 0)] * 30
    traffic.age = 0
    traffic.arms = {
        "canary": [(1.0, 0, 0)] * 10 + quiet + [(1.0, 0, 0)] * 5,
        "stable": [(9.0, 0, 0)] * 10 + quiet + [(9.0, 0, 0)] * 5,
    }
    assert (await judge(traffic).judge(question)).reason is Reason.GATHERING


async def test_the_query_reaches_back_as_far_as_the_stages_take(
    traffic: Any, asked: dict[str, Any]
) -> None:
    """Evidence is carried from stage to stage, so none may fall out of sight on the way."""
    asked["stages"] = [{"weight": 10, "time": "4h"}, {"weight": 50, "time": "6h"}]
    await judge(traffic, 15).judge(Question.model_validate(asked))
    (query,) = traffic.queries
    assert query.intervals * query.step >= 10 * 3600
    assert query.intervals <= 720


async def test_without_a_weight_all_evidence_counts(traffic: Any, asked: dict[str, Any]) -> None:
    del asked["stage"]
    traffic.steady(canary=(40, 0, 0), stable=(60, 0, 0))
    judgement = await judge(traffic).judge(Question.model_validate(asked))
    assert judgement.reason is Reason.NON_INFERIOR


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (QueryError("Prometheus cannot be reached: refused"), Reason.QUERY_ERROR),
        (ConfigError("Prometheus answered 422: too many samples"), Reason.CONFIG_ERROR),
    ],
)
async def test_whatever_prometheus_does_is_undecided(
    traffic: Any, question: Question, error: Exception, reason: Reason
) -> None:
    traffic.error = error
    judgement = await judge(traffic).judge(question)
    assert judgement.reason is reason
    assert reason.verdict is Verdict.UNDECIDED
    assert str(error) in judgement.why
    assert "nothing is promoted and nothing aborted" in judgement.why


@pytest.mark.parametrize(
    ("arms", "why"),
    [
        ({}, "no request to the canary"),
        ({"stable": (90, 0, 0)}, "no request to the canary"),
        ({"canary": (90, 0, 0)}, "no requests to compare with"),
    ],
)
async def test_an_arm_without_requests_is_no_data(
    traffic: Any, question: Question, arms: dict[str, Any], why: str
) -> None:
    judgement = await judge(traffic.steady(**arms)).judge(question)
    assert judgement.reason is Reason.NO_DATA
    assert why in judgement.why


async def test_old_counts_promote_nothing(traffic: Any, question: Question) -> None:
    """Prometheus answers again after an outage, but has scraped nothing new yet."""
    traffic.steady(canary=(10, 0, 0), stable=(90, 0, 0)).age = 15
    judgement = await judge(traffic).judge(question)
    assert judgement.reason is Reason.NO_DATA
    assert "to either arm was counted for 33 s" in judgement.why


@pytest.mark.parametrize(
    ("since", "reason"), [(0, Reason.NON_INFERIOR), (1, Reason.NO_DATA), (30, Reason.NO_DATA)]
)
async def test_nothing_is_promoted_while_the_newest_counts_are_left_out(
    traffic: Any, question: Question, since: int, reason: Reason
) -> None:
    """Tenfold traffic is not believed for a minute: what was proven before it is not enough."""
    traffic.arms = {
        "canary": [(10, 0, 0)] * 60 + [(150, 0, 0)] * since,
        "stable": [(90, 0, 0)] * 60 + [(1350, 0, 0)] * since,
    }
    judgement = await judge(traffic).judge(question)
    assert judgement.reason is reason
    assert ("waiting to see whether they last" in judgement.why) is bool(since)


@pytest.mark.parametrize("then", [(10, 90), (150, 1350)])
async def test_left_out_counts_hold_until_it_is_known_what_they_were(
    traffic: Any, question: Question, then: tuple[int, int]
) -> None:
    """A jump is followed by the usual; traffic lasts, and counts from its beginning."""
    rows = [(10, 90)] * 60 + [(150, 1350)] + [then] * 30
    traffic.arms = {
        "canary": [(canary, 0, 0) for canary, _ in rows],
        "stable": [(stable, 0, 0) for _, stable in rows],
    }
    assert (await judge(traffic).judge(question)).reason is Reason.NON_INFERIOR


@pytest.mark.parametrize(
    ("reporter", "reason"), [("source", Reason.REGRESSION), ("destination", Reason.GATHERING)]
)
async def test_pods_that_count_themselves_are_compared_an_interval_later(
    traffic: Any, question: Question, reporter: str, reason: Reason
) -> None:
    """They are scraped at times of their own: stable may show the same in the next interval."""
    traffic.arms = {
        "canary": [(100, 0, 0)] * 60 + [(100, 90, 0)],
        "stable": [(900, 0, 0)] * 61,
    }
    asked = Judge(traffic, 15, reporter, clock=lambda: NOW)
    assert (await asked.judge(question)).reason is reason


@pytest.mark.parametrize(("bad", "reason"), [(0, Reason.NO_DATA), (1, Reason.REGRESSION)])
async def test_a_wrong_scrape_interval_promotes_nothing_and_is_named(
    traffic: Any, question: Question, bad: int, reason: Reason
) -> None:
    """The counts are right even so: what is proven by them stays so."""
    traffic.steady(canary=(10, bad, 0), stable=(90, 0, 0)).values = {"requests.samples": [2]}
    judgement = await judge(traffic, scrape=15).judge(question)
    assert judgement.reason is reason
    assert ("SLUICE_SCRAPE_INTERVAL=15" in judgement.why) is (bad == 0)


@pytest.mark.parametrize(("before", "verdict"), [(0, Verdict.FAIL), (9, Verdict.UNDECIDED)])
async def test_a_canary_is_judged_by_itself_only_if_stable_never_had_a_request(
    traffic: Any, question: Question, before: int, verdict: Verdict
) -> None:
    """Stable had some before the canary came: then it is not scraped, and may fail as well."""
    traffic.arms = {
        "stable": [(90, 0, 0)] * before + [(0, 0, 0)] * 20,
        "canary": [(100, 60, 0)] * 20,
    }
    judgement = await judge(traffic).judge(question)
    assert judgement.reason.verdict is verdict


@pytest.mark.parametrize(("age", "fresh"), [(0, True), (2, False), (4, False)])
async def test_a_long_lookback_makes_old_counts_no_younger(
    traffic: Any, asked: dict[str, Any], age: int, fresh: bool
) -> None:
    """Its intervals are minutes long; how old a scrape may be is the scrapes' own matter."""
    asked["policy"] = {"lookback": "23h"}
    traffic.steady(canary=(10, 0, 0), stable=(90, 0, 0)).age = age
    judgement = await judge(traffic, scrape=15).judge(Question.model_validate(asked))
    assert judgement.query is not None
    assert judgement.query.step == 120
    assert judgement.reason is (Reason.NON_INFERIOR if fresh else Reason.NO_DATA)


async def test_an_incident_holds_and_names_stable(traffic: Any, question: Question) -> None:
    traffic.steady(canary=(10, 2, 0), stable=(90, 18, 0))
    judgement = await judge(traffic).judge(question)
    assert judgement.reason is Reason.COMMON_MODE
    assert judgement.why.startswith("stable itself fails 20 % (270 of 1,350) in the last 30 s")


async def test_a_missing_bucket_is_said(traffic: Any, question: Question) -> None:
    traffic.steady(canary=(10, 0, 10), stable=(90, 0, 90))
    judgement = await judge(traffic).judge(question)
    assert judgement.reason is Reason.NO_DATA
    assert "bucket" in judgement.why


HEAP = {"heap": {"value": 'sum(heap_bytes{area="heap"})', "most": 10, "for": "10s"}}


@pytest.mark.parametrize(
    ("values", "reason", "why"),
    [
        ({}, Reason.NO_DATA, "heap has no value for the canary"),
        ({"canary heap": [5] * 60}, Reason.NON_INFERIOR, "canary fails 0 %"),
        (
            {"canary heap": [5] * 50 + [20] * 10, "canary heap series": [1] * 60},
            Reason.LIMIT_EXCEEDED,
            "the canary's heap is 20",
        ),
        (
            {
                "canary heap": [5] * 60,
                "canary pods.restarts": [1],
                "canary pods.oom_killed": [2],
                "canary pods.oom_kills": [2],
            },
            Reason.OOM_KILLED,
            "2 containers of the canary are killed",
        ),
    ],
)
async def test_what_is_no_ratio_decides_too(
    traffic: Any, asked: dict[str, Any], values: dict[str, Any], reason: Reason, why: str
) -> None:
    asked["slo"]["limits"] = HEAP
    traffic.steady(canary=(10, 0, 0), stable=(90, 0, 0)).values = values
    judgement = await judge(traffic).judge(Question.model_validate(asked))
    assert judgement.reason is reason
    assert judgement.why.startswith(why)


async def test_containers_that_die_fail_a_release_without_traffic(
    traffic: Any, question: Question
) -> None:
    traffic.values = {"canary pods.restarts": [1], "canary pods.crash_loop": [1]}
    judgement = await judge(traffic).judge(question)
    assert judgement.reason is Reason.CRASH_LOOP
    assert judgement.why == "1 container of the canary is in a crash loop"


async def test_a_limit_that_is_exceeded_does_not_hide_a_regression(
    traffic: Any, asked: dict[str, Any]
) -> None:
    asked["slo"]["limits"] = HEAP
    traffic.steady(canary=(10, 5, 0), stable=(90, 0, 0)).values = {"canary heap": [20] * 2}
    judgement = await judge(traffic).judge(Question.model_validate(asked))
    assert judgement.reason.verdict is Verdict.FAIL
    assert judgement.cases[0].reason.verdict is Verdict.FAIL


@pytest.mark.parametrize("histograms", ["classic", "native"])
@pytest.mark.parametrize("metrics", ["istio", "spring", "prom-client", "nginx"])
async def test_the_query_is_valid_with_everything_in_it(
    traffic: Any, asked: dict[str, Any], metrics: str, histograms: str
) -> None:
    asked |= {"metrics": metrics, "histograms": histograms}
    asked["slo"] |= {
        "ratios": {"paid": {"bad": "failed_total", "total": "payments_total", "target": 99}},
        "limits": HEAP,
        "saturation": {"cpu_throttled": 25, "memory": 90},
    }
    await judge(traffic).judge(Question.model_validate(asked))
    (query,) = traffic.queries
    promql_parser.parse(query.text)


@pytest.mark.parametrize("scrape", [1, 2, 15, 60])
@pytest.mark.parametrize("lookback", [None, timedelta(minutes=1), timedelta(days=2)])
async def test_the_query_is_aligned_bounded_and_settled(
    traffic: Any, question: Question, scrape: int, lookback: timedelta | None
) -> None:
    policy = Policy(lookback=lookback)
    await judge(traffic, scrape).judge(question.model_copy(update={"policy": policy}))
    (query,) = traffic.queries
    assert query.step % scrape == 0
    assert query.start % query.step == query.end % query.step == 0
    assert query.intervals <= 720
    assert query.end <= NOW - scrape
    wanted = (lookback or min(timedelta(hours=2), timedelta(seconds=720 * scrape))).total_seconds()
    assert wanted <= query.intervals * query.step < wanted + query.step


async def test_the_query_is_valid_and_about_these_arms_only(
    traffic: Any, question: Question
) -> None:
    await judge(traffic).judge(question)
    (query,) = traffic.queries
    promql_parser.parse(query.text)
    assert query.text.count('destination_version="1.1.0-0a1b2c3d"') == query.text.count(
        'destination_version!="1.1.0-0a1b2c3d"'
    )
    assert query.text.count('reporter="source"') == query.text.count("destination_workload=")
