"""The past is asked for in bounded pieces, and faults are told, not replayed.

What a real Prometheus answers is in tests/contract/test_replay.py.
"""

import asyncio
import json
from collections.abc import Collection

import pytest

from cli.replay import fetch, inputs
from cli.replay.errors import ReplayError
from cli.replay.fetch import Range, Reader
from plugin.prometheus import ConfigError, QueryError, Sample, Series
from plugin.promql.query import SERIES, Query

SPAN = Range(start=1_800_000_000, hours=24)


class Stub:
    """A Prometheus without series, which fails for some hours."""

    def __init__(self, lost: Collection[int] = (), error: type[Exception] = QueryError) -> None:
        self._lost, self._error = lost, error
        self.asked: list[Query] = []
        self.under_way = self.most = 0

    async def query_range(self, query: Query) -> list[Series]:
        self.asked.append(query)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        if (query.start - SPAN.start) // 3600 in self._lost:
            raise self._error("it is busy")
        return []

    async def query(self, text: str) -> list[Sample]:
        raise NotImplementedError(text)


def read(source: Stub, metrics: str = "istio") -> tuple[Reader, int]:
    slo = "availability=99.9,latency=95@250ms"
    question = inputs.question_of("checkout", "shop", slo, metrics, ())
    reader, ticks = Reader(question, 15, "source"), []
    asyncio.run(reader.read(source, SPAN, lambda: ticks.append(1)))
    return reader, len(ticks)


def test_one_query_an_hour_and_few_at_a_time() -> None:
    source = Stub()
    reader, ticks = read(source)
    assert len(source.asked) == ticks == len(reader.chunks) == 24
    assert source.most <= 4
    assert {query.intervals for query in source.asked} == {240}
    ends = sorted(query.end for query in source.asked)
    assert ends == [SPAN.start + 3600 * (hour + 1) for hour in range(24)]


def test_the_newest_hours_come_first() -> None:
    source = Stub()
    read(source)
    assert source.asked[0].end == SPAN.start + 24 * 3600


@pytest.mark.parametrize("metrics", ["istio", "spring", "prom-client", "nginx"])
def test_all_versions_and_both_arms_are_asked_for(metrics: str) -> None:
    source = Stub()
    read(source, metrics)
    text = source.asked[0].text
    assert "replayed" not in text
    if metrics != "nginx":
        assert "checkout-primary" in text


def test_an_hour_that_fails_is_known_as_unread() -> None:
    reader, ticks = read(Stub(lost={3, 9}))
    assert [hour for hour, chunk in reader.chunks.items() if chunk is None] == [9, 3]
    assert reader.faults == ["it is busy"] * 2
    assert ticks == 24


def test_a_dead_prometheus_is_an_error_after_one_query() -> None:
    source = Stub(lost=range(24))
    with pytest.raises(ReplayError, match="--prometheus: it is busy"):
        read(source)
    assert len(source.asked) == 1


def test_a_prometheus_that_dies_meanwhile_is_given_up() -> None:
    source = Stub(lost=range(20))
    with pytest.raises(ReplayError, match="in a row"):
        read(source)
    assert len(source.asked) < 20


def test_a_refusal_is_an_error_at_once() -> None:
    with pytest.raises(ReplayError, match="--prometheus: it is busy"):
        read(Stub(lost={5}, error=ConfigError))


def test_the_hour_that_goes_on_is_no_past() -> None:
    span = fetch.past_hours(1_800_000_123.4, 7 * 86400)
    assert span.hours == 168
    assert span.start % 3600 == 0
    assert span.start + span.hours * 3600 <= 1_800_000_123


def test_a_ratio_whose_parts_are_scraped_apart_is_refused_by_name() -> None:
    """Its history would be full of failures that never were."""

    class Apart(Stub):
        async def query_range(self, query: Query) -> list[Series]:
            assert "orders_ok_total" in query.text
            part = {SERIES: "orders elsewhere"}
            return [Series(metric=part, values=[(float(query.end), 1.0)])]

    ratio = {"good": "orders_ok_total", "total": "orders_total", "target": 99}
    arms = {"canary": {"workload": "a", "version": "2"}, "stable": {"workload": "b"}}
    asked = {
        "service": "a",
        "namespace": "shop",
        "slo": {"ratios": {"orders": ratio}},
        "arms": arms,
    }
    reader = Reader(inputs.question_in(json.dumps(asked), ()), 15, "source")
    with pytest.raises(ReplayError, match=r"slo\.ratios\.orders: its parts are scraped from diff"):
        asyncio.run(reader.read(Apart(), SPAN, lambda: None))


@pytest.mark.parametrize(
    ("slo", "counted", "said"),
    [
        ({"latency": {"percentile": 95, "threshold": "500ms"}}, {"le": "+Inf"}, "within 500ms"),
        ({"availability": 99.9}, {"response_code": ""}, "no HTTP status (label response_code)"),
        (
            {"ratios": {"orders": {"good": "ok_total", "total": "orders_total", "target": 99}}},
            {},
            "no good event of orders",
        ),
    ],
)
def test_counts_that_do_not_tell_good_from_bad_are_known_for_that(
    slo: dict[str, object], counted: dict[str, str], said: str
) -> None:
    """Else a bucket or label that is not there would look like a service without requests."""
    name = next(iter(slo)) if "ratios" not in slo else "orders total"

    class Untold(Stub):
        async def query_range(self, query: Query) -> list[Series]:
            values = [(float(query.end), 50.0)]
            return [Series(metric={SERIES: name, "version": "1", **counted}, values=values)]

    arms = {"canary": {"workload": "a", "version": "2"}, "stable": {"workload": "b"}}
    asked = {"service": "a", "namespace": "shop", "slo": slo, "arms": arms}
    reader = Reader(inputs.question_in(json.dumps(asked), ()), 15, "source")
    asyncio.run(reader.read(Untold(), Range(SPAN.start, 2), lambda: None))
    assert said in reader.lacking[name.split()[0]]
