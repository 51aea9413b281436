"""The main job on the real thing: what `make demo` does, and the ordinary CLI around it.

The tests follow each other on one sandbox: the story, then a second `up`, then `destroy`.
"""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cli.demo import target
from cli.demo.command import run
from cli.demo.story import RELEASES, SERVICES
from cli.demo.target import Target
from sandbox import lifecycle
from sandbox.errors import SandboxError
from sandbox.layout import ROOT, Layout
from sandbox.network import port_is_free
from sandbox.pulumi.cli import STACK, Cli, find_cli

LAYOUT = Layout("e2e")


@pytest.fixture(scope="module")
def where() -> Iterator[Target]:
    yield target.sandbox(LAYOUT, print)
    lifecycle.down(LAYOUT, print)


@pytest.fixture(scope="module")
def told(where: Target) -> dict[str, Any]:
    """The story's JSON file, after the story."""
    run(LAYOUT, where)
    return json.loads((LAYOUT.sandbox / "demo.json").read_text())


@pytest.fixture
def pulumi(told: dict[str, Any], where: Target) -> Cli:
    return find_cli(LAYOUT.binaries, LAYOUT.pulumi, where.kubeconfig)


def options(*arguments: str) -> list[str]:
    file = LAYOUT.sandbox / f"Pulumi.{STACK}.yaml"
    return [*arguments, "--stack", STACK, "--config-file", str(file), "--suppress-progress"]


@pytest.mark.timeout(1200)
def test_good_releases_are_promoted_and_bad_ones_rolled_back(told: dict[str, Any]) -> None:
    ended = {
        (found["service"], found["tag"]): (found["outcome"], found["reason"])
        for found in told["releases"]
    }
    expected = {(name, release.tag): release.expected for release in RELEASES for name in SERVICES}
    assert {key: outcome for key, (outcome, _) in ended.items()} == expected
    assert told["ok"]


def test_a_bad_release_is_rolled_back_for_its_own_fault(told: dict[str, Any]) -> None:
    """The verdict names the indicator that the release broke, in one sentence."""
    sentences = {(found["tag"], found["service"]): found["why"] for found in told["releases"]}
    for service in SERVICES:
        assert "fails" in sentences["1.2.0", service]
        assert "exceeds 250ms" in sentences["1.3.0", service]


def test_a_good_release_loses_no_request(told: dict[str, Any]) -> None:
    lost = {
        (found["service"], found["tag"]): found["lost"]
        for found in told["releases"]
        if found["expected"] == "promoted" and not found["incident"]
    }
    assert lost == dict.fromkeys(lost, 0)


def test_what_the_controllers_moved_is_no_difference_to_pulumi(pulumi: Cli) -> None:
    """Weights, selectors and replicas are the controllers'; a second `up` leaves them alone."""
    pulumi.run(options("preview", "--expect-no-changes"), ROOT)
    pulumi.run(options("up", "--yes", "--skip-preview", "--expect-no-changes"), ROOT)


def test_a_misspelt_key_is_named_with_its_file(pulumi: Cli, where: Target) -> None:
    file = LAYOUT.sandbox / "Pulumi.misspelt.yaml"
    text = (ROOT / f"Pulumi.{STACK}.yaml").read_text()
    file.write_text(text.replace("sluice:stages:", "sluice:stagse:"))
    arguments = ["preview", "--stack", STACK, "--config-file", str(file)]
    with pytest.raises(SandboxError, match=r"stagse.*did you mean stages"):
        pulumi.run(arguments, ROOT)


def test_destroy_leaves_nothing_behind(pulumi: Cli, where: Target) -> None:
    pulumi.run(options("destroy", "--yes", "--skip-preview"), ROOT)
    assert "urn:pulumi:" not in pulumi.run(
        ["stack", "--show-urns", "--stack", STACK], ROOT
    ).replace("pulumi:pulumi:Stack", "")
    with httpx.Client(trust_env=False) as client:
        answer = client.get(where.gateway, headers={"Host": "checkout.local"})
    assert answer.status_code == 404


def test_down_leaves_no_process_and_no_port(where: Target) -> None:
    parts = lifecycle.parts(LAYOUT, LAYOUT.network()).all
    lifecycle.down(LAYOUT, print)
    assert {part.state for part in lifecycle.status(LAYOUT)} == {"stopped"}
    assert all(port_is_free(*listens) for part in parts for listens in part.listens)
