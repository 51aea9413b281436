"""What is mistyped is named, with the option and the fix; what is right is taken as meant."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from cli.replay import inputs
from cli.replay.errors import InputError
from cli.replay.plan import Plan, Stage
from plugin.question import Stage as QuestionStage

ROOT = Path(__file__).parents[4]
SLO = "availability=99.9,latency=95@250ms"


def plan(slo: str = SLO) -> Plan:
    question = inputs.question_of("checkout", "shop", slo, "istio", ())
    return Plan(question, inputs.parse_stages("10:5m"), 15, 30)


def test_options_become_the_question_of_a_controller() -> None:
    question = inputs.question_of(
        "checkout", "shop", SLO, "istio", ["burst=3,warm_up=60s", "min_bad=5"]
    )
    availability, latency = question.slo.objectives
    assert availability.target == Decimal("0.999")
    assert (latency.target, latency.threshold) == (Decimal("0.95"), timedelta(milliseconds=250))
    assert (question.policy.burst, question.policy.min_bad) == (3, 5)
    assert question.policy.warm_up == timedelta(seconds=60)
    assert question.arms.stable.workload == "checkout"


def test_several_latencies_can_be_promised() -> None:
    question = inputs.question_of("c", "s", "latency=95@250ms,latency=99@1s", "istio", ())
    assert len(question.slo.objectives) == 2


def test_a_question_file_is_taken_as_it_is_and_options_change_its_policy() -> None:
    text = json.dumps(
        {
            "service": "checkout",
            "namespace": "shop",
            "slo": {"availability": 99.5},
            "arms": {
                "canary": {"workload": "checkout", "version": "1"},
                "stable": {"workload": "checkout-primary"},
            },
            "policy": {"burst": 2, "min_bad": 4},
        }
    )
    policy = inputs.question_in(text, ["burst=5"]).policy
    assert (policy.burst, policy.min_bad) == (5, 4)


@pytest.mark.parametrize(
    ("slo", "policy", "option", "fix"),
    [
        ("", (), "--slo", "is missing"),
        ("avail=99", (), "--slo", "'avail=99'"),
        ("latency=95", (), "--slo", "latency=95@250ms"),
        ("availability=0.999", (), "--slo", "99.9 and not 0.999"),
        ("latency=95@240ms", (), "--slo", "250ms"),
        ("availability=99", ("burst",), "--policy", "burst=3"),
        ("availability=99", ("brust=3",), "--policy", "known are fail_margin"),
        ("availability=99", ("burst=0",), "--policy", "burst: "),
        ("availability=99", ("fail_margin=3",), "--policy", "fail_margin must not exceed"),
        ("availability=99", ("burst=nan",), "--policy", "burst: write a number"),
        ("availability=99", ("windows=foo",), "--policy", "into a --question file"),
    ],
)
def test_a_wrong_question_names_the_option(
    slo: str, policy: tuple[str, ...], option: str, fix: str
) -> None:
    with pytest.raises(InputError) as caught:
        inputs.question_of("checkout", "shop", slo, "istio", policy)
    assert str(caught.value).startswith(f"{option}: ")
    assert fix in str(caught.value)


@pytest.mark.parametrize(
    ("service", "namespace", "metrics", "option"),
    [
        ("", "shop", "istio", "--service"),
        ("Check out", "shop", "istio", "--service"),
        ("checkout", "", "istio", "--namespace"),
        ("checkout", "shop", "statsd", "--metrics"),
    ],
)
def test_a_wrong_name_names_the_option(
    service: str, namespace: str, metrics: str, option: str
) -> None:
    with pytest.raises(InputError, match=f"^{option}: "):
        inputs.question_of(service, namespace, SLO, metrics, ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "holds the JSON object"),
        ('{"service": "c"}', "namespace: is missing"),
        ('{"service": "c", "namespace": "s", "slo": 5}', "slo: write an object"),
    ],
)
def test_a_file_that_is_no_question_is_refused_as_a_file(text: str, said: str) -> None:
    """What is wrong in it is no option: --namespace beside a file would be refused."""
    with pytest.raises(InputError, match=f"^--question: {said}"):
        inputs.question_in(text, ())


def test_stages_are_weights_and_times() -> None:
    assert inputs.parse_stages("10:5m, 30%:90s") == (Stage(10, 300), Stage(30, 90))


@pytest.mark.parametrize("text", ["", "10", "10:", "0:5m", "100:5m", "10:5", "30:5m,10:5m", "5:1s"])
def test_wrong_stages_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="--stages"):
        inputs.parse_stages(text)


@pytest.mark.parametrize("weight", ["0", "100", "150"])
def test_a_weight_that_is_no_stage_is_named(weight: str) -> None:
    with pytest.raises(InputError, match=f"the weight {weight} is not between 1 and 99"):
        inputs.parse_stages(f"{weight}:5m")


@pytest.mark.parametrize(
    ("text", "fix"),
    [("30:5m,10:5m", "reorder the stages"), ("10:1m,11:1m", "raise it to 14 or leave")],
)
def test_weights_rise_as_those_of_a_service_have_to(text: str, fix: str) -> None:
    with pytest.raises(InputError, match=f"^--stages: .*{fix}"):
        inputs.parse_stages(text)


@pytest.mark.parametrize("text", ["7", "1h", "91d", "-2d"])
def test_the_past_is_bounded(text: str) -> None:
    with pytest.raises(InputError, match="--since"):
        inputs.parse_since(text)


@pytest.mark.parametrize("text", ["0s", "1.5s", "301s", "ten"])
def test_intervals_are_whole_seconds(text: str) -> None:
    with pytest.raises(InputError, match="--scrape-interval"):
        inputs.parse_interval("--scrape-interval", text, 300)


def test_regressions_are_given_in_percentage_points() -> None:
    assert inputs.parse_extras("0.2, 0.9%", plan()) == {
        "availability": pytest.approx((0.002, 0.009)),
        "latency": pytest.approx((0.002, 0.009)),
    }


def test_regressions_are_error_budgets_by_default_and_stay_below_half() -> None:
    assert inputs.parse_extras(None, plan("availability=99.9,latency=75@250ms")) == {
        "availability": pytest.approx((0.001, 0.003, 0.01)),
        "latency": pytest.approx((0.25, 0.5)),
    }


@pytest.mark.parametrize("text", ["", "0", "-1", "101", "much"])
def test_a_regression_is_a_percentage(text: str) -> None:
    with pytest.raises(InputError, match="--inject"):
        inputs.parse_extras(text, plan())


def test_the_stages_of_a_question_are_taken_unless_others_are_given() -> None:
    question = plan().question
    asked = question.model_copy(
        update={"stages": (QuestionStage(weight=20, time=timedelta(minutes=3)),)}
    )
    assert inputs.stages_of(None, asked) == (Stage(20, 180),)
    assert inputs.stages_of("5:1m", asked) == (Stage(5, 60),)


def test_without_any_stages_those_of_a_stack_that_sets_none_are_replayed() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]["sluice:stages"]
    written = ",".join(f"{one['weight']}:{one['time']}" for one in declared["default"])
    assert inputs.stages_of(None, plan().question) == inputs.parse_stages(written)
