"""What a team wrote plus what the stack says becomes one checked specification."""

from collections.abc import Callable
from typing import Any

import pytest

from components.spec.errors import SpecError
from components.spec.kinds import Controller, Strategy
from components.spec.service import ServiceSpec, merge, resolve
from components.spec.site import Site

MakeSpec = Callable[..., ServiceSpec]


def errors(make: MakeSpec, **args: Any) -> list[str]:
    with pytest.raises(SpecError) as caught:
        make(**args)
    return str(caught.value).splitlines()


def test_the_site_fills_in_what_the_team_leaves_open(make_spec: MakeSpec) -> None:
    spec = make_spec()
    assert spec.strategy is Strategy.CANARY
    assert spec.controller is Controller.ARGO
    assert spec.namespace == "shop"
    assert spec.hosts == ("checkout.local",)
    assert [(stage.weight, stage.time) for stage in spec.stages] == [
        (10, 300),
        (30, 600),
        (60, 900),
    ]


def test_the_team_overrules_the_site_and_the_overlay_overrules_the_team(site: Site) -> None:
    args = {
        "image": "shop/checkout:1.8.0",
        "slo": {"availability": 99.0},
        "controller": "flagger",
        "env": {"A": "team", "B": "team"},
        "stages": [{"weight": 50, "time": "1m"}],
    }
    overlay = {"image": "shop/checkout:1.9.0", "env": {"B": "stack"}}
    spec = resolve("checkout", args, site, overlay)
    assert spec.controller is Controller.FLAGGER
    assert spec.image == "shop/checkout:1.9.0"
    assert spec.env == {"A": "team", "B": "stack"}
    assert [stage.weight for stage in spec.stages] == [50]


def test_lists_are_replaced_and_never_mixed() -> None:
    """A stack's shorter stages must not keep the tail of the team's."""
    assert merge({"stages": [1, 2, 3]}, {"stages": [9]}) == {"stages": [9]}


def test_numbers_and_booleans_of_a_stack_file_become_text(make_spec: MakeSpec) -> None:
    """`pulumi config set --path` turns 0.05 and true into YAML scalars that are no strings."""
    spec = make_spec(env={"ERROR_RATE": 0.05, "SLOW": True, "COUNT": 3, "NAME": "x"})
    assert spec.env == {"ERROR_RATE": "0.05", "SLOW": "true", "COUNT": "3", "NAME": "x"}


def test_whole_numbers_may_arrive_as_floats(make_spec: MakeSpec) -> None:
    """Pulumi hands every number of another language's program over as a float."""
    spec = make_spec(port=9090.0, stages=[{"weight": 10.0, "time": "1m"}])
    assert (spec.port, spec.stages[0].weight) == (9090, 10)


def test_a_rolling_service_needs_no_slo(make_spec: MakeSpec) -> None:
    assert make_spec(slo=None, strategy="rolling").slo is None


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (
            {"slo": None},
            "checkout.slo: is missing: the judge decides every stage of a canary by it; "
            'add "slo": {"availability": 99.9}, or set "strategy": "rolling"',
        ),
        (
            {"slo": {"availability": 0.99}},
            "checkout.slo.availability: write a percentage, not a fraction: 99.9 and not 0.999",
        ),
        (
            {"slo": {"latency": {"percentile": 95, "threshold": "240ms"}}},
            "checkout.slo.latency.threshold: 240ms is no bucket of Istio's latency histogram; "
            "the nearest: 100ms or 250ms",
        ),
        (
            {"slo": {"ratios": {"Paid": {"bad": "a", "total": "b", "target": 99}}}},
            "checkout.slo.ratios.Paid: write a name of 1 to 40 of a-z, 0-9 and _, beginning with a "
            "letter",
        ),
        (
            {"slo": {"ratios": {"paid": {"bad": "a / b", "total": "b", "target": 99}}}},
            "checkout.slo.ratios.paid.bad: is a ratio already; put its two halves into bad and "
            "total",
        ),
        (
            {
                "slo": {
                    "availability": 99,
                    "limits": {"heap": {"value": 'heap_bytes{version="1"}', "most": 1}},
                }
            },
            "checkout.slo.limits.heap.value: heap_bytes is already selected by version, which "
            "tells the arms apart; remove it",
        ),
        (
            {"slo": {"availability": 99, "limits": {"heap": {"value": "x", "msot": 1, "most": 1}}}},
            "checkout.slo.limits.heap.msot: is no setting; did you mean most?",
        ),
        (
            {"slo": {"availabilty": 99.0}},
            "checkout.slo.availabilty: is no setting; did you mean availability?",
        ),
        (
            {"stages": [{"weight": 30, "time": "1m"}, {"weight": 30, "time": "1m"}]},
            "checkout.stages: weights must rise from stage to stage, but 30 follows 30; "
            "reorder the stages or raise the later weight",
        ),
        (
            {"stages": [{"weight": 50, "time": "1m"}, {"weight": 60, "time": "1m"}]},
            "checkout.stages: 60 after 50 is too small a step: a stage begins when the judge sees "
            "its share of traffic arrive, which takes 1.4 times the weight before; raise it to 70 "
            "or leave the stage out",
        ),
        (
            {"namespace": "Shop!"},
            "checkout.namespace: 'Shop!' is no name of a namespace; use up to 63 lower-case "
            "letters, digits and '-', beginning and ending with a letter or digit",
        ),
        (
            {"stages": []},
            "checkout.stages: a canary needs at least one stage, such as {weight: 10, time: 5m}",
        ),
        (
            {"stages": [{"weight": 10, "time": "1500ms"}]},
            "checkout.stages[0].time: '1500ms' is not in whole seconds; "
            'write for instance "30s" or "2m"',
        ),
        (
            {"stages": [{"weight": 10, "time": "5w"}]},
            "checkout.stages[0].time: '5w' is too long; write at most 28d",
        ),
        (
            {"stages": [{"weight": 10, "tiem": "5m", "time": "5m"}]},
            "checkout.stages[0].tiem: is no setting; did you mean time?",
        ),
        (
            {"stages": [{"weight": 10}]},
            "checkout.stages[0].time: is missing; "
            'it is the longest this stage may gather evidence, such as "5m"',
        ),
        (
            {"image": "shop/checkout"},
            "checkout.image: 'shop/checkout' does not say which release it is; give it a tag of "
            'its own, such as "shop/checkout:1.8.0"',
        ),
        (
            {"port": "http"},
            "checkout.port: input should be a valid integer, unable to parse string as an "
            "integer, not 'http'; it is the port the container listens on, from 1 to 65535",
        ),
        (
            {"controller": "spinnaker"},
            "checkout.controller: input should be 'argo' or 'flagger', not 'spinnaker'; "
            'it is "argo" or "flagger"',
        ),
        (
            {"replicas": {"min": 3, "max": 2}},
            "checkout.replicas: max 2 is below min 3; raise max or leave it out",
        ),
        (
            {"resources": {"memory": "256MB"}},
            "checkout.resources.memory: string should match pattern "
            "'^[0-9]+(\\.[0-9]+)?(m|[kMGT]i?)?$', not '256MB'; "
            'it is Kubernetes memory, such as "256Mi"',
        ),
        ({"imgae": "x:1"}, "checkout.imgae: is no setting; did you mean image?"),
    ],
)
def test_bad_input_names_the_service_the_field_and_the_fix(
    make_spec: MakeSpec, args: dict[str, Any], line: str
) -> None:
    assert errors(make_spec, **args) == [line]


def test_a_missing_image_says_what_an_image_is(site: Site) -> None:
    with pytest.raises(SpecError, match=r"^checkout\.image: is missing; it is the container image"):
        resolve("checkout", {"slo": {"availability": 99.0}}, site)


def test_every_wrong_field_is_reported_at_once(make_spec: MakeSpec) -> None:
    lines = errors(make_spec, port=0, image="x", replicas={"min": 0})
    assert {line.partition(":")[0] for line in lines} == {
        "checkout.port",
        "checkout.image",
        "checkout.replicas.min",
    }


def test_an_error_of_the_overlay_points_to_the_stack_file(site: Site) -> None:
    """The team's own file is right, so whoever reads the error must not search there."""
    args = {"image": "shop/checkout:1.8.0", "slo": {"availability": 99.0}, "port": 0}
    overlay = {"env": {"A": ["no"]}}
    with pytest.raises(SpecError) as caught:
        resolve("checkout", args, site, overlay, "Pulumi.local.yaml, sluice:services")
    team, stack = sorted(str(caught.value).splitlines(), reverse=True)
    assert team.startswith("checkout.port: ")
    assert stack.startswith("checkout.env.A (in Pulumi.local.yaml, sluice:services): ")


@pytest.mark.parametrize("name", ["", "Checkout", "check_out", "-checkout", "c" * 51, "9lives"])
def test_a_name_that_kubernetes_refuses_is_refused_here(name: str, site: Site) -> None:
    with pytest.raises(SpecError, match="is no service name; use up to 50 lower-case letters"):
        resolve(name, {"image": "x:1"}, site)
