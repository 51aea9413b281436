"""/metrics: what was decided last on what, bounded in size and in age."""

from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from plugin.api import metrics
from plugin.api.metrics import Releases
from plugin.judge import Judge, Judgement
from plugin.question import Question
from plugin.signals import Signal

BAD = {"canary": (10, 3, 0), "stable": (90, 0, 0)}


async def judged(traffic: Any, question: Question) -> Judgement:
    return await Judge(traffic.steady(**BAD), 2).judge(question)


def exposed(releases: Releases) -> dict[str, list[dict[str, str]]]:
    """Name → the labels of its samples."""
    registry = CollectorRegistry()
    registry.register(releases)
    text = generate_latest(registry).decode()
    found: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


async def test_only_the_latest_verdict_is_shown(traffic: Any, question: Question) -> None:
    releases = Releases()
    releases.judged(await judged(traffic, question))
    traffic.arms = {}
    releases.judged(await Judge(traffic, 2).judge(question))
    samples = exposed(releases)
    (latest,) = samples["sluice_verdict"]
    assert (latest["verdict"], latest["reason"]) == ("undecided", "no_data")
    assert [one["verdict"] for one in samples["sluice_verdicts_total"]] == ["fail", "undecided"]


async def test_services_that_are_made_up_do_not_fill_the_memory(
    traffic: Any, question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names come with requests; whoever may ask could send new ones for ever."""
    monkeypatch.setattr(metrics, "_REMEMBERED", 3)
    releases, judgement = Releases(), await judged(traffic, question)
    for name in ("a", "b", "a", "c", "d"):
        asked = question.model_copy(update={"service": name})
        releases.judged(Judgement(asked, judgement.reason, "", judgement.at))
    shown = {one["service"] for one in exposed(releases)["sluice_verdicts_total"]}
    assert shown == {"a", "c", "d"}


async def test_old_counts_are_not_shown_as_present_ones(traffic: Any, question: Question) -> None:
    now = 0.0
    releases = Releases(clock=lambda: now)
    releases.judged(await judged(traffic, question))
    assert exposed(releases)["sluice_bad_requests"]
    now = 3601
    samples = exposed(releases)
    assert "sluice_bad_requests" not in samples
    assert samples["sluice_verdicts_total"]


async def test_what_is_watched_beside_the_objectives_is_shown(
    traffic: Any, question: Question
) -> None:
    judgement = await judged(traffic, question)
    signal = Signal("memory", canary=93.0, bound=90.0)
    releases = Releases()
    releases.judged(replace(judgement, signals=(signal,)))
    samples = exposed(releases)
    (value,) = samples["sluice_signal"]
    assert (value["signal"], value["arm"]) == ("memory", "canary")
    assert samples["sluice_signal_bound"][0]["signal"] == "memory"
