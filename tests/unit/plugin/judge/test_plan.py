"""The query of a release is made once, of all that tells releases apart and of nothing else."""

from typing import Any

import pytest

from plugin.judge.plan import plan
from plugin.promql.query import Query
from plugin.question import Question

SCRAPE, NOW = 15, 1_000_000_003.0


def query(asked: dict[str, Any], scrape: int = SCRAPE, reporter: str = "source") -> Query:
    return plan(Question.model_validate(asked), scrape, reporter, NOW)[1]


@pytest.mark.parametrize(
    "change",
    [
        {"service": "payments"},
        {"namespace": "bank"},
        {"slo": {"availability": 99.0, "latency": {"percentile": 95, "threshold": "500ms"}}},
        {"slo": {"availability": 99.0, "saturation": {"memory": 90}}},
        {"metrics": "spring"},
        {"metrics": "prom-client", "histograms": "native"},
        {"metrics": "spring", "labels": {"workload": "application"}},
        {"arms": {"canary": {"workload": "a", "version": "2"}, "stable": {"workload": "b"}}},
    ],
)
def test_what_is_counted_tells_queries_apart(asked: dict[str, Any], change: dict[str, Any]) -> None:
    usual, other = query(asked), query(asked | change)
    assert usual.text != other.text
    assert query(asked | change) == other
    assert query(asked) == usual


def test_so_do_the_judges_own_settings(asked: dict[str, Any]) -> None:
    texts = {
        query(asked).text,
        query(asked, scrape=30).text,
        query(asked, reporter="destination").text,
    }
    assert len(texts) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"stage": {"weight": 50, "time": "1h"}},
        {"stages": [{"weight": 10, "time": "5m"}, {"weight": 50, "time": "5m"}]},
        {"policy": {"min_requests": 7, "warm_up": "1m", "freeze": True}},
        {"answer_within": "2s"},
    ],
)
def test_how_it_is_judged_is_not_asked_for(asked: dict[str, Any], change: dict[str, Any]) -> None:
    """Flagger's hooks ask about the same release with and without its weight."""
    assert query(asked | change).text is query(asked).text


def test_the_same_text_is_asked_over_another_time(asked: dict[str, Any]) -> None:
    hour, three = ({"policy": {"lookback": lookback}} for lookback in ("1h", "3h"))
    assert query(asked | hour).intervals == 240
    assert query(asked | three).intervals == 720
    assert query(asked | hour).text is query(asked | three).text
    assert query(asked | {"policy": {"lookback": "1d"}}).step == 120
