"""/metrics: what was decided last on what, bounded in size and in age."""

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from plugin.api import metrics
from plugin.api.answers import SignalAnswer, VerdictAnswer
from plugin.api.metrics import Releases
from plugin.judge import Judge
from plugin.question import Question

BAD = {"canary": (10, 3, 0), "stable": (90, 0, 0)}


async def judged(traffic: Any, question: Question) -> VerdictAnswer:
    return VerdictAnswer.of(await Judge(traffic, 2).judge(question))


def samples_of(releases: Releases) -> Iterator[Sample]:
    registry = CollectorRegistry()
    registry.register(releases)
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        yield from family.samples


def exposed(releases: Releases) -> dict[str, list[dict[str, str]]]:
    """Name → the labels of its samples."""
    found: dict[str, list[dict[str, str]]] = {}
    for sample in samples_of(releases):
        found.setdefault(sample.name, []).append(sample.labels)
    return found


def shown(releases: Releases, name: str, **labels: str) -> float:
    """The value of the one sample with these labels."""
    (value,) = (
        sample.value
        for sample in samples_of(releases)
        if sample.name == name and labels.items() <= sample.labels.items()
    )
    return value


async def test_only_the_latest_verdict_is_shown(traffic: Any, question: Question) -> None:
    releases = Releases()
    releases.judged("shop", await judged(traffic.steady(**BAD), question))
    traffic.arms = {}
    releases.judged("shop", await judged(traffic, question))
    samples = exposed(releases)
    (latest,) = samples["sluice_verdict"]
    assert (latest["verdict"], latest["reason"]) == ("undecided", "no_data")
    assert [one["verdict"] for one in samples["sluice_verdicts_total"]] == ["fail", "undecided"]


async def test_what_a_verdict_rests_on_is_shown(traffic: Any, question: Question) -> None:
    releases, answer = Releases(), await judged(traffic.steady(**BAD), question)
    releases.judged("shop", answer)
    of_canary = {"namespace": "shop", "indicator": "availability", "arm": "canary"}
    first = answer.indicators[0]
    assert first.canary is not None
    assert first.evidence is not None
    assert answer.threshold is not None
    assert shown(releases, "sluice_requests", **of_canary) == first.canary.total
    assert shown(releases, "sluice_bad_requests", **of_canary) == first.canary.bad
    harm = {"indicator": "availability", "test": "harm"}
    assert shown(releases, "sluice_evidence", **harm) == first.evidence.harm
    assert shown(releases, "sluice_evidence_threshold", **harm) == answer.threshold.harm
    upper = {"indicator": "availability", "bound": "upper"}
    assert first.extra is not None
    assert shown(releases, "sluice_extra_bad_ratio", **upper) == first.extra[1]


async def test_services_that_are_made_up_do_not_fill_the_memory(
    traffic: Any, question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names come with requests; whoever may ask could send new ones for ever."""
    monkeypatch.setattr(metrics, "_REMEMBERED", 3)
    releases, answer = Releases(), await judged(traffic, question)
    for name in ("a", "b", "a", "c", "d"):
        releases.judged("shop", answer.model_copy(update={"service": name}))
    services = {one["service"] for one in exposed(releases)["sluice_verdicts_total"]}
    assert services == {"a", "c", "d"}


async def test_old_counts_are_not_shown_as_present_ones(traffic: Any, question: Question) -> None:
    now = 0.0
    releases = Releases(clock=lambda: now)
    releases.judged("shop", await judged(traffic.steady(**BAD), question))
    assert exposed(releases)["sluice_bad_requests"]
    now = 3601
    samples = exposed(releases)
    assert "sluice_bad_requests" not in samples
    assert samples["sluice_verdicts_total"]


async def test_what_is_watched_beside_the_objectives_is_shown(
    traffic: Any, question: Question
) -> None:
    answer = await judged(traffic.steady(**BAD), question)
    signal = SignalAnswer(name="memory", canary=93.0, bound=90.0)
    releases = Releases()
    releases.judged("shop", answer.model_copy(update={"signals": [signal]}))
    assert shown(releases, "sluice_signal", signal="memory", arm="canary") == 93
    assert shown(releases, "sluice_signal_bound", signal="memory") == 90
