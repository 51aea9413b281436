"""The policy of a service: what the judge is told of it, and what follows from the stages."""

from collections.abc import Callable
from typing import Any

import pytest

from components.manifests.question import question
from components.spec.errors import SpecError
from components.spec.service import ServiceSpec
from plugin.policy import Policy
from plugin.question import Question

MakeSpec = Callable[..., ServiceSpec]
ARM = {"workload": "checkout", "version": "1.8.0-0a1b2c3d"}
WINDOWS = [{"days": ["mon", "tue"], "hours": "09:00-16:30", "zone": "Europe/Berlin"}]


def asked(spec: ServiceSpec) -> Question:
    return Question.model_validate(question(spec, ARM, {"workload": "checkout-primary"}))


def test_a_service_that_sets_nothing_gets_the_judges_defaults_and_a_warm_up(
    make_spec: MakeSpec,
) -> None:
    """Cold caches are no regression; in the fixture a look is 30 s and the first stage 5 min."""
    policy = asked(make_spec()).policy
    assert policy.warm_up.total_seconds() == 60
    assert policy.model_copy(update={"warm_up": Policy().warm_up}) == Policy()


def test_the_warm_up_leaves_a_short_stage_its_time(make_spec: MakeSpec) -> None:
    spec = make_spec(stages=[{"weight": 10, "time": "50s"}])
    assert asked(spec).policy.warm_up.total_seconds() == 10


def test_what_a_service_sets_is_what_the_judge_is_told(make_spec: MakeSpec) -> None:
    own: dict[str, Any] = {
        "warm_up": "0s",
        "false_abort": 0.001,
        "on_undecided": "promote",
        "freeze": True,
        "windows": WINDOWS,
    }
    policy = asked(make_spec(policy=own)).policy
    assert policy == Policy.model_validate(own)


def test_the_judge_learns_all_stages(make_spec: MakeSpec) -> None:
    stages = asked(make_spec()).stages
    assert [(stage.weight, stage.time and stage.time.seconds) for stage in stages] == [
        (10, 300),
        (30, 600),
        (60, 900),
    ]


@pytest.mark.parametrize(("fix", "gated"), [("1.8.0", False), ("1.7.9", True), (None, True)])
def test_the_fix_and_only_the_fix_need_not_wait(
    make_spec: MakeSpec, fix: str | None, gated: bool
) -> None:
    """It names one release, so that the next one waits again without anybody's doing."""
    spec = make_spec(policy={"freeze": True, "windows": WINDOWS, "fix": fix})
    assert spec.policy.gated("1.8.0") is gated
    assert asked(spec).policy.freeze is gated
    assert bool(asked(spec).policy.windows) is gated


def test_a_fix_without_gates_changes_nothing(make_spec: MakeSpec) -> None:
    assert asked(make_spec(policy={"fix": "1.8.0"})) == asked(make_spec())


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"on_undecidd": "hold"}, "checkout.policy.on_undecidd: is no setting; did you mean"),
        ({"on_undecided": "pass"}, "checkout.policy.on_undecided: input should be 'hold'"),
        ({"windows": [{"days": ["mon"], "hours": "9-17"}]}, "windows[0].hours: write the hours"),
        (
            {"windows": [{"days": ["mon"], "hours": "09:00-17:00", "zone": "Berlin"}]},
            "windows[0].zone: name a time zone of the IANA database",
        ),
        ({"warm_up": "soon"}, "checkout.policy.warm_up: write a duration"),
        ({"fail_margin": 2}, "checkout.policy: fail_margin must not exceed pass_margin"),
    ],
)
def test_a_wrong_policy_names_the_field_and_the_fix(
    make_spec: MakeSpec, policy: dict[str, Any], message: str
) -> None:
    with pytest.raises(SpecError) as caught:
        make_spec(policy=policy)
    assert message in str(caught.value)
