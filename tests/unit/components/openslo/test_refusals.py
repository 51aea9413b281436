"""What would change a verdict is never guessed: the error says which object, field and fix."""

import copy
from typing import Any

import pytest
import yaml

from components.openslo import OpenSLOError, load
from tests.unit.components.openslo.sound import SOUND, source

RATIO = ("spec", "indicator", "spec", "ratioMetric")
OBJECTIVE = ("spec", "objectives", 0)


def changed(*changes: tuple[tuple[str | int, ...], Any]) -> dict[str, Any]:
    """A sound SLO with other values at some paths; None removes a field."""
    body = copy.deepcopy(SOUND)
    for path, value in changes:
        node: Any = body
        for step in path[:-1]:
            node = node[step]
        if value is None:
            node.pop(path[-1], None)
        else:
            node[path[-1]] = value
    return body


def refusal(*documents: Any) -> str:
    with pytest.raises(OpenSLOError) as caught:
        load(yaml.safe_dump_all(documents), "slo.yaml", "checkout")
    return str(caught.value)


def test_the_sound_one_is_accepted() -> None:
    assert load(yaml.safe_dump(SOUND), "slo.yaml", "checkout").warnings == ()


def threshold(query: str, **objective: Any) -> dict[str, Any]:
    return changed(
        (("spec", "indicator", "spec"), {"thresholdMetric": source(query)}),
        (OBJECTIVE, {"target": 0.95} | objective),
    )


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (
            changed((("spec", "timeWindow", 0, "duration"), "1m")),
            "spec.timeWindow.duration: 1m is in minutes, too short to promise anything over; if "
            "months are meant, write 1M",
        ),
        (
            changed((("spec", "timeWindow", 0, "duration"), "12h")),
            "spec.timeWindow.duration: 12h is out of range; give 1d to 1Y, usually 30d",
        ),
        (
            changed((("spec", "timeWindow", 0, "duration"), "a month")),
            "spec.timeWindow.duration: 'a month' is no duration; write one such as 30d, 4w or 1M",
        ),
        (
            changed((("spec", "timeWindow"), [{"duration": "1d"}, {"duration": "30d"}])),
            "spec.timeWindow: give one window, not several",
        ),
        (
            changed((("spec", "budgetingMethod"), "Timeslices")),
            "spec.budgetingMethod: Timeslices cannot be judged, for the share of good minutes says "
            "nothing about the requests of a release; write Occurrences, and no timeSliceTarget",
        ),
        (
            changed(
                (("spec", "budgetingMethod"), None),
                (OBJECTIVE, {"target": 0.99, "timeSliceTarget": 0.9}),
            ),
            "spec.budgetingMethod: time slices cannot be judged, for the share of good minutes "
            "says nothing about the requests of a release; write Occurrences, and no "
            "timeSliceTarget",
        ),
        (
            changed((("spec", "objectives"), None)),
            "spec.objectives: is missing; give at least one, with a target",
        ),
        (
            changed((OBJECTIVE, {"target": 99.9})),
            "spec.objectives.0.target: 99.9 is above 1; for 99.9 % write targetPercent: 99.9",
        ),
        (
            changed((OBJECTIVE, {"target": 1})),
            "spec.objectives.0.target: 1 is 100 %; a promise is above 1 % and, because it needs an "
            "error budget, below 100 %",
        ),
        (
            changed((OBJECTIVE, {"target": "three nines"})),
            "spec.objectives.0.target: 'three nines' is no number",
        ),
        (
            changed((OBJECTIVE, {"displayName": "all of it"})),
            "spec.objectives.0: give either target, such as 0.999, or targetPercent, such as 99.9",
        ),
        (
            changed((OBJECTIVE, {"target": 0.99, "targetPercent": 99})),
            "spec.objectives.0: give either target, such as 0.999, or targetPercent, such as 99.9",
        ),
        (
            changed((OBJECTIVE, {"target": 0.99, "op": "lte", "value": 0.05})),
            "spec.objectives.0.value: means nothing for a ratioMetric, whose events are good or "
            "bad already; remove it, or use a thresholdMetric",
        ),
        (
            changed(((*RATIO, "counter"), False)),
            "spec.indicator.spec.ratioMetric.counter: false means numbers per interval, of which "
            "nothing can be counted; give counters",
        ),
        (
            changed(((*RATIO, "total"), None)),
            "spec.indicator.spec.ratioMetric.total: is missing; give the counter of all events",
        ),
        (
            changed(((*RATIO, "good"), None)),
            "spec.indicator.spec.ratioMetric: give either good or bad, beside total",
        ),
        (
            changed(((*RATIO, "bad"), source("orders_total"))),
            "spec.indicator.spec.ratioMetric: give either good or bad, beside total",
        ),
        (
            changed((RATIO, {"raw": source("a:ratio"), "rawType": "success"})),
            "spec.indicator.spec.ratioMetric.raw: is a ratio already, which says nothing of how "
            "many requests it stands for; give total and good or bad",
        ),
        (
            changed(((*RATIO, "good", "metricSource", "type"), "Datadog")),
            "spec.indicator.spec.ratioMetric.good.metricSource.type: Datadog cannot be asked; the "
            "judge asks Prometheus",
        ),
        (
            changed(((*RATIO, "good"), source("sum(a) / sum(b)"))),
            "spec.indicator.spec.ratioMetric.good.metricSource.spec.query: is a ratio already; put "
            "its two halves into bad and total",
        ),
        (
            changed(((*RATIO, "good"), source("avg(a)"))),
            "spec.indicator.spec.ratioMetric.good.metricSource.spec.query: is not the count of one "
            'kind of events; write a counter such as payments_total{outcome="failed"}, or '
            "sum(rate(…[5m])) of one",
        ),
        (
            changed(((*RATIO, "good", "metricSource", "spec"), {"metric": "a"})),
            "spec.indicator.spec.ratioMetric.good.metricSource.spec.query: is missing; give the "
            "counter, as sum(rate(NAME{…}[5m]))",
        ),
        (
            changed((("spec", "indicator"), None)),
            "spec: give exactly one of indicator and indicatorRef",
        ),
        (
            changed((("spec", "indicator"), None), (("spec", "indicatorRef"), "orders-sli")),
            "spec.indicatorRef: no SLI is called 'orders-sli' in this file; put one into it",
        ),
        (
            changed(
                (("spec", "indicator"), None),
                (("spec", "objectives"), [{"target": 0.9, "indicatorRef": "a"}] * 2),
            ),
            "spec.objectives: indicators of their own make this a composite SLO, which cannot be "
            "judged; write one SLO object for each",
        ),
        (
            threshold("http_seconds_bucket", op="lte"),
            "spec.objectives.0: a thresholdMetric needs op and value; write op: lte, value: 0.5",
        ),
        (
            threshold("http_seconds_bucket", op="gte", value=0.5),
            "spec.objectives.0.op: gte cannot be counted; only what is at most value can: write "
            "op: lte",
        ),
        (
            threshold(
                "histogram_quantile(0.95, sum by (le) (rate(s_bucket[5m])))", op="lte", value=0.5
            ),
            "spec.indicator.spec.thresholdMetric.metricSource.spec.query: is a percentile, of "
            "which nothing can be counted; give NAME_bucket{…} with op: lte, value: SECONDS and "
            "the percentile as target",
        ),
        (
            threshold("process_resident_memory_bytes", op="lte", value=1e9),
            "spec.indicator.spec.thresholdMetric.metricSource.spec.query: a threshold can be "
            "counted on a histogram only; give NAME_bucket{…}, or write a ratioMetric whose good "
            "events are the requests below the threshold",
        ),
        (
            changed(((*RATIO, "good"), source('orders_total{namespace="shop",ok="1"}'))),
            "good: orders_total is already selected by namespace, which tells the arms apart; "
            "remove it",
        ),
        (
            changed((("spec", "objectives"), "99.9 %")),
            "spec.objectives: is '99.9 %'; write a list",
        ),
        (
            changed(((*RATIO, "counter"), "perhaps")),
            "spec.indicator.spec.ratioMetric.counter: is 'perhaps'; write true or false",
        ),
        (changed((OBJECTIVE, [0.99])), "spec.objectives.0: is \"['0.99']\"; write a mapping"),
        (
            changed(((*OBJECTIVE, "target"), ["0.99"])),
            "spec.objectives.0.target: is \"['0.99']\"; write text or a number",
        ),
        (
            changed(((*RATIO, "total"), {"query": "orders_total"})),
            "spec.indicator.spec.ratioMetric.total.metricSource: is missing",
        ),
        (changed((("spec",), None)), "spec: is missing"),
    ],
)
def test_each_refusal_names_object_field_and_fix(document: dict[str, Any], problem: str) -> None:
    assert refusal(document) == f"slo.yaml: SLO orders: {problem}"


def test_all_objects_are_told_at_once() -> None:
    """One error per run would make a long file a long afternoon."""
    lines = refusal(
        changed((("metadata", "name"), "first"), (OBJECTIVE, {"target": 2})),
        changed((("metadata", "name"), "second"), (("spec", "timeWindow", 0, "duration"), "1m")),
    ).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["SLO first", "SLO second"]


def test_a_service_has_one_window() -> None:
    assert refusal(
        SOUND,
        changed((("metadata", "name"), "week"), (("spec", "timeWindow", 0, "duration"), "1w")),
    ) == (
        "slo.yaml: its objectives have the windows 1w and 30d; a service has one error budget "
        "period: give them the same timeWindow"
    )


def test_names_that_would_be_the_same_are_refused() -> None:
    assert "would both be called orders" in refusal(
        SOUND, changed((("metadata", "name"), "Orders"))
    )


def test_more_than_the_judge_can_ask_for_is_refused() -> None:
    many = [changed((("metadata", "name"), f"slo{i}")) for i in range(9)]
    assert refusal(*many).startswith("slo.yaml: ratios: ")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1", "is no YAML: line 1, column 6: expected ',' or ']', but got '<stream end>'"),
        (
            "a: 1\nb: {c: 1, c: 2}",
            "is no YAML: line 2, column 11: the key c is there twice; remove",
        ),
        ("", "there is no OpenSLO object in it; one begins with apiVersion: openslo/v1"),
        ("just text", "there is no OpenSLO object in it; one begins with apiVersion: openslo/v1"),
        (
            "apiVersion: openslo/v1alpha\nkind: SLO\nmetadata: {name: old}",
            "SLO old: apiVersion: openslo/v1alpha cannot be read; rewrite the object for "
            "openslo/v1",
        ),
        ("apiVersion: openslo/v1\nkind: SLI", "there is no object of kind SLO in it"),
        (
            "apiVersion: openslo/v1\nkind: SLO",
            "SLO (object 1): metadata.name: is missing",
        ),
        ("apiVersion: openslo/v1\nkind: !!timestamp x", "is no YAML"),
    ],
)
def test_what_is_no_openslo_file_is_said_so(text: str, problem: str) -> None:
    with pytest.raises(OpenSLOError) as caught:
        load(text, "slo.yaml", "checkout")
    assert str(caught.value).startswith(f"slo.yaml: {problem}")
