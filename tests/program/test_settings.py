"""The stack's configuration: the real files are right, and wrong ones say what is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components.settings import ConfigError, Settings

ROOT = Path(__file__).parents[2]

Run = Callable[..., list[Any]]


def message(run: Run, **settings: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        run("local", **settings)
    return str(caught.value)


def test_the_project_declares_exactly_what_the_program_reads() -> None:
    """A key in only one of the two could not be set, or would be set for nothing."""
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    read = {f"sluice:{field.alias}" for field in Settings.model_fields.values()}
    assert set(declared) == read
    assert all(field["description"] for field in declared.values())


def test_only_the_address_of_prometheus_has_no_default() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert [key for key, field in declared.items() if "default" not in field] == [
        "sluice:prometheusUrl"
    ]


def test_an_error_is_one_that_pulumi_prints_without_a_traceback() -> None:
    assert issubclass(ConfigError, pulumi.RunError)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"promtheusUrl": "http://p:9090"},
            "Pulumi.local.yaml: sluice:promtheusUrl: is no setting; did you mean prometheusUrl?",
        ),
        (
            {"prometheusUrl": None},
            "Pulumi.local.yaml: sluice:prometheusUrl: is missing; "
            "it is the Prometheus the judge asks, as http://HOST:PORT",
        ),
        (
            {"prometheusUrl": "prometheus:9090"},
            "Pulumi.local.yaml: sluice:prometheusUrl: 'prometheus:9090' is no address of a "
            "Prometheus; write it as http://HOST:PORT or https://HOST",
        ),
        (
            {"scrapeInterval": "2"},
            "Pulumi.local.yaml: sluice:scrapeInterval: write a duration as a number and a unit "
            '(ms, s, m, h, d, w), such as "250ms"',
        ),
        (
            {"controller": "argocd"},
            "Pulumi.local.yaml: sluice:controller: input should be 'argo' or 'flagger', "
            'not \'argocd\'; it is "argo" or "flagger"',
        ),
        (
            {"stages": [{"weight": 30, "time": "1m"}, {"weight": 10, "time": "1m"}]},
            "Pulumi.local.yaml: sluice:stages: weights must rise from stage to stage, but 10 "
            "follows 30; reorder the stages or raise the later weight",
        ),
        (
            {"stages": [{"wieght": 30, "weight": 30, "time": "1m"}]},
            "Pulumi.local.yaml: sluice:stages[0].wieght: is no setting; did you mean weight?",
        ),
        (
            {"services": {"chekout": {"image": "sluice/demo-app:1.1.0"}}},
            "Pulumi.local.yaml: sluice:services.chekout: is no service of the catalogue; "
            "did you mean checkout?",
        ),
        (
            {"services": {"checkout": {"imgae": "sluice/demo-app:1.1.0"}}},
            "checkout.imgae (in Pulumi.local.yaml, sluice:services): "
            "is no setting; did you mean image?",
        ),
        (
            {"services": {"payments": {"slo": {"latency": {"threshold": "240ms"}}}}},
            "payments.slo.latency.threshold (in Pulumi.local.yaml, sluice:services): "
            "240ms is no bucket of Istio's latency histogram; the nearest: 100ms or 250ms",
        ),
    ],
)
def test_a_wrong_value_names_the_file_the_key_and_the_fix(
    run: Run, settings: dict[str, Any], expected: str
) -> None:
    assert message(run, **settings) == expected


TLS_WITHOUT_TLS = (
    "Pulumi.local.yaml: sluice:prometheusAccess: ca and certificate are of no use to an http:// "
    "address; write sluice:prometheusUrl as https://HOST, or leave them out"
)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"policy": {"on_undecidd": "hold"}},
            "Pulumi.local.yaml: sluice:policy.on_undecidd: "
            "is no setting; did you mean on_undecided?",
        ),
        (
            {"policy": {"windows": [{"days": ["mon"], "hours": "9-17"}]}},
            "Pulumi.local.yaml: sluice:policy.windows[0].hours: write the hours",
        ),
        (
            {"policy": {"fail_margin": 2}},
            "Pulumi.local.yaml: sluice:policy: fail_margin must not exceed pass_margin",
        ),
        ({"rules": "maybe"}, "Pulumi.local.yaml: sluice:rules: input should be a valid boolean"),
        ({"rules": "maybe"}, "not 'maybe'; it is true, or false for a cluster that does not know"),
        (
            {"judgeTokenSecret": "Judge_Token"},
            "Pulumi.local.yaml: sluice:judgeTokenSecret: is no name of a Secret; write the name",
        ),
        (
            {"prometheusAccess": {"barer": "token"}},
            "Pulumi.local.yaml: sluice:prometheusAccess.barer: is no setting; did you mean bearer?",
        ),
        (
            {"prometheusAccess": {"bearer": "token", "sigv4": {"region": "eu-central-1"}}},
            "Pulumi.local.yaml: sluice:prometheusAccess: bearer and sigv4 exclude each other",
        ),
        ({"prometheusAccess": {"ca": "internal-ca"}}, TLS_WITHOUT_TLS),
        (
            {"prometheusUrl": "https://judge:S3cr3t@prometheus"},
            "Pulumi.local.yaml: sluice:prometheusUrl: credentials do not belong in the address",
        ),
        (
            {"prometheusUrl": "judge:S3cr3t@prometheus:9090"},
            "Pulumi.local.yaml: sluice:prometheusUrl: credentials do not belong in the address",
        ),
        (
            {"prometheusUrl": "https://prometheus?key=S3cr3t"},
            'write only what stands before "/api/v1"',
        ),
        (
            {"prometheusUrl": "https://aps.example.com/workspaces/ws-1/api/v1/query"},
            'write only what stands before "/api/v1"',
        ),
    ],
)
def test_a_wrong_policy_or_access_names_the_file_the_key_and_the_fix(
    run: Run, settings: dict[str, Any], expected: str
) -> None:
    told = message(run, **settings)
    assert expected in told
    assert "S3cr3t" not in told


def test_flaggers_weight_must_not_be_that_of_the_stage_before(run: Run) -> None:
    """A weight of 0 that is over would let a canary with traffic "begin"."""
    assert message(run, scrapeInterval="15s", analysisInterval="29s") == (
        "Pulumi.local.yaml: sluice:scrapeInterval: there must be two scrapes between two looks at "
        "a canary (every 29s): write sluice:analysisInterval as 30s or more, or "
        "sluice:scrapeInterval as 14s or less"
    )
    assert "every 10s" in message(run, scrapeInterval="6s", analysisInterval="2s")
    for scrape, looks in (("15s", "30s"), ("5s", "2s")):
        run("local", scrapeInterval=scrape, analysisInterval=looks)


def test_text_where_a_mapping_belongs_is_an_error_of_its_key(run: Run) -> None:
    """`pulumi config set sluice:services checkout` stores a plain word."""
    expected = "Pulumi.local.yaml: sluice:services: 'checkout' is neither a list nor a mapping"
    assert message(run, services="checkout") == expected


def test_nothing_is_declared_when_a_setting_is_wrong(program: Any) -> None:
    """The settings are checked as a whole before the first resource."""
    with pytest.raises(ConfigError):
        program.run("local", services={"chekout": {}})
    assert program.registered == []
