"""What a stack decides for all its services, below what each of them says itself."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from components.manifests.question import question
from components.spec.errors import problems
from components.spec.service import ServiceSpec, resolve
from components.spec.site import Site
from plugin.policy import OnUndecided, Policy
from plugin.question import Question

MakeSite = Callable[..., Site]
ARGS = {"image": "shop/checkout:1.8.0", "slo": {"availability": 99.0}}
WINDOW = {"days": ["mon", "tue"], "hours": "09:00-16:30", "zone": "Europe/Berlin"}


def asked(spec: ServiceSpec) -> Policy:
    arms = {"workload": "checkout", "version": "1"}, {"workload": "checkout-primary"}
    return Question.model_validate(question(spec, *arms)).policy


def test_every_service_gets_the_stacks_policy(make_site: MakeSite) -> None:
    given: dict[str, Any] = {"freeze": True, "windows": [WINDOW], "lookback": "3h", "warm_up": "0s"}
    spec = resolve("checkout", ARGS, make_site(policy=given))
    assert asked(spec) == Policy.model_validate(given)


def test_the_service_and_then_the_overlay_overrule_it_key_by_key(make_site: MakeSite) -> None:
    site = make_site(
        policy={"on_undecided": "abort", "min_bad": 5, "burst": 4, "windows": [WINDOW]}
    )
    args = ARGS | {"policy": {"on_undecided": "promote", "min_bad": 7, "windows": []}}
    policy = asked(resolve("checkout", args, site, {"policy": {"min_bad": 9}}))
    assert policy.on_undecided is OnUndecided.PROMOTE
    assert (policy.burst, policy.min_bad, policy.windows) == (4, 9, ())


def test_a_stack_that_sets_no_policy_asks_for_the_judges_defaults(make_site: MakeSite) -> None:
    assert resolve("checkout", ARGS, make_site(policy={})) == resolve("checkout", ARGS, make_site())
    assert make_site().defaults("checkout")["policy"] == {}


def test_a_fix_is_one_release_of_one_service(make_site: MakeSite) -> None:
    """For all services at once it would open the gates for releases that nobody meant."""
    with pytest.raises(ValidationError) as caught:
        make_site(policy={"fix": "1.8.1"})
    ((path, sentence),) = problems(caught.value, Site)
    assert path == ("policy", "fix")
    assert sentence.startswith("is no setting; ")


def test_a_secret_is_named_and_never_quoted(make_site: MakeSite) -> None:
    """A person who writes the token instead of its name must not find it in a pipeline's log."""
    with pytest.raises(ValidationError) as caught:
        make_site(judgeTokenSecret="S3cr3t!")
    ((path, sentence),) = problems(caught.value, Site)
    assert path == ("judgeTokenSecret",)
    assert "S3cr3t!" not in sentence
    assert sentence == (
        "is no name of a Secret; write the name (lower-case letters, digits, '-' and '.') of one "
        "that exists in sluice-system and in each namespace of services on Argo Rollouts, with "
        "the key token, never what is in it"
    )


def test_empty_text_names_no_secret(make_site: MakeSite) -> None:
    """Pulumi.yaml's default: a project's configuration knows no null."""
    assert make_site(judgeTokenSecret="").judge_token_secret is None
