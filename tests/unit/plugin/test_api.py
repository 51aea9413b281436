"""The HTTP contract of both controllers: every answer is one they cannot misread."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from plugin.api.app import create_app
from plugin.log import JsonFormatter
from plugin.prometheus import ConfigError, QueryError
from plugin.settings import Settings
from tests.unit.plugin.strictly import strictly

GOOD = {"canary": (10, 0, 0), "stable": (90, 0, 0)}
BAD = {"canary": (10, 3, 0), "stable": (90, 0, 0)}


def client_for(traffic: Any) -> httpx.AsyncClient:
    environment = Settings.model_validate(
        {"prometheus_url": "http://127.0.0.1:1", "scrape_interval": 2}
    )
    app = create_app(environment, traffic)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://judge")


@pytest.fixture
async def api(traffic: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with client_for(traffic) as client:
        yield client


def hook(question: object, phase: str = "Progressing") -> dict[str, Any]:
    """Flagger's payload around a question."""
    text = question if isinstance(question, str) else json.dumps(question)
    return {
        "name": "checkout",
        "namespace": "shop",
        "phase": phase,
        "checksum": "abc",
        "metadata": {"request": text},
    }


async def test_the_answer_is_the_contract(
    api: httpx.AsyncClient, traffic: Any, asked: dict[str, Any]
) -> None:
    traffic.steady(**GOOD)
    response = await api.post("/v1/verdict", json=asked)
    answer = strictly(response.text)
    assert response.status_code == 200
    assert (answer["verdict"], answer["reason"]) == ("pass", "non_inferior")
    assert (answer["service"], answer["version"]) == ("checkout", "1.1.0-0a1b2c3d")
    assert answer["evaluated_at"].endswith("Z")
    availability, latency = answer["indicators"]
    assert (availability["name"], latency["name"]) == ("availability", "latency")
    assert availability["canary"] == {"bad": 0, "total": 600}
    assert availability["stable"] == {"bad": 0, "total": 5400}
    assert set(availability["evidence"]) == set(answer["threshold"]) == {"harm", "safe", "burn"}
    assert availability["extra"][1] < 0.01
    assert answer["intervals"] == {"used": 60, "dropped": 0, "seconds": 2}
    assert None not in answer.values()


async def test_the_answer_fits_where_argo_keeps_it(
    api: httpx.AsyncClient, traffic: Any, asked: dict[str, Any]
) -> None:
    """With the longest names Kubernetes allows, and large counts."""
    asked["service"] = asked["arms"]["canary"]["workload"] = "s" * 63
    asked["arms"]["stable"]["workload"] = "s" * 63
    asked["arms"]["canary"]["version"] = asked["arms"]["stable"]["not_version"] = "v" * 63
    for arms in (GOOD, {"canary": (1e6, 3e5, 5e5), "stable": (9e6, 1e4, 1e5)}, {}):
        response = await api.post("/v1/verdict", json=asked)
        assert len(response.content) < 2048
        traffic.steady(**arms)


@pytest.mark.parametrize("error", [QueryError("down " * 100), ConfigError("422")])
async def test_prometheus_in_trouble_is_an_answer_and_no_error(
    api: httpx.AsyncClient, traffic: Any, asked: dict[str, Any], error: Exception
) -> None:
    """Argo aborts a release after a few errors; "undecided" holds it."""
    traffic.error = error
    response = await api.post("/v1/verdict", json=asked)
    answer = strictly(response.text)
    assert response.status_code == 200
    assert answer["verdict"] == "undecided"
    assert answer["indicators"] == []


async def test_no_counts_make_no_nan(
    api: httpx.AsyncClient, traffic: Any, asked: dict[str, Any]
) -> None:
    traffic.steady(stable=(90, 1, 1))
    answer = strictly((await api.post("/v1/verdict", json=asked)).text)
    assert (answer["verdict"], answer["reason"]) == ("undecided", "no_data")


counts = st.tuples(
    st.integers(0, 10**9), st.floats(0, 1), st.floats(0, 1)
).map(lambda one: (one[0], round(one[0] * one[1]), round(one[0] * one[2])))  # fmt: skip


@given(st.lists(st.tuples(counts, counts), max_size=40), st.integers(0, 100))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=50,
)
async def test_any_counts_give_a_decided_verdict(
    api: httpx.AsyncClient,
    traffic: Any,
    asked: dict[str, Any],
    intervals: list[Any],
    weight: int,
) -> None:
    traffic.arms = {
        "canary": [canary for canary, _ in intervals],
        "stable": [stable for _, stable in intervals],
    }
    asked["stage"] = {"weight": weight}
    response = await api.post("/v1/verdict", json=asked)
    assert response.status_code == 200
    assert strictly(response.text)["verdict"] in {"pass", "fail", "undecided"}
    assert len(response.content) < 2048


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("arms.canary.version", "", "arms.canary.version"),
        ("slo.availability", 0.999, "slo.availability"),
        ("slo.latency.threshold", "300ms", "slo.latency.threshold"),
        ("slo.latncy", {}, "slo.latncy"),
        ("arms", None, "arms"),
    ],
)
async def test_a_wrong_question_is_refused_naming_the_field(
    api: httpx.AsyncClient, asked: dict[str, Any], path: str, value: object, field: str
) -> None:
    *parents, key = path.split(".")
    holder = asked
    for parent in parents:
        holder = holder[parent]
    holder[key] = value
    response = await api.post("/v1/verdict", json=asked)
    assert response.status_code == 422
    assert strictly(response.text)["error"]["field"] == field
    response = await api.post("/v1/flagger/rollout", json=hook(asked))
    assert response.status_code == 422
    assert response.json()["error"]["field"] == f"metadata.request.{field}"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "send a question: the body is empty"),
        (b"{nope", "is no JSON in UTF-8 that can be read: Expecting property name"),
        (b"\xff", "is no JSON in UTF-8 that can be read"),
        (b"[" * 5000, "is no JSON in UTF-8 that can be read"),
        (b"[]", "write an object here: keys and values in braces"),
        (b"null", "write an object here: keys and values in braces"),
        (b"NaN", "write an object here: keys and values in braces"),
    ],
)
async def test_a_body_that_is_no_question_is_refused(
    api: httpx.AsyncClient, body: bytes, complaint: str
) -> None:
    headers = {"content-type": "application/json"}
    response = await api.post("/v1/verdict", content=body, headers=headers)
    assert response.status_code == 422
    error = strictly(response.text)["error"]
    assert error["field"] == "body"
    assert error["message"].startswith(complaint)


async def test_a_list_is_asked_for_where_there_is_something_else(
    api: httpx.AsyncClient, asked: dict[str, Any]
) -> None:
    windows = {"days": ["mon"], "hours": "09:00-16:30", "zone": "Europe/Berlin"}
    answer = await api.post("/v1/verdict", json=asked | {"policy": {"windows": windows}})
    assert answer.json()["error"] == {
        "field": "policy.windows",
        "message": "write a list here: values in brackets",
    }


async def test_a_body_of_another_type_is_told_the_type(
    api: httpx.AsyncClient, asked: dict[str, Any]
) -> None:
    answer = await api.post(
        "/v1/verdict", content=json.dumps(asked), headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 422
    assert "Content-Type: application/json" in answer.json()["error"]["message"]
    answer = await api.post("/v1/verdict", json=[asked])
    assert answer.json()["error"]["message"].startswith("write an object here")


@pytest.mark.parametrize("request_", ["", " "])
async def test_a_hook_without_a_question_is_told_where_it_belongs(
    api: httpx.AsyncClient, request_: str
) -> None:
    answer = await api.post("/v1/flagger/rollback", json=hook(request_))
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == "put the question into metadata.request"


async def test_a_key_that_is_no_text_is_refused_and_not_a_crash(api: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json"}
    response = await api.post("/v1/verdict", content=b'{"\\ud800": 1}', headers=headers)
    assert response.status_code == 422


async def test_a_body_that_is_too_large_is_not_read(api: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b" " * 1024

    response = await api.post(
        "/v1/verdict", content=endless(), headers={"content-type": "application/json"}
    )
    assert response.status_code == 413
    assert "64 KiB" in response.json()["error"]["message"]


async def test_a_fault_of_the_judge_is_a_5xx_in_the_same_shape(
    api: httpx.AsyncClient, traffic: Any, asked: dict[str, Any]
) -> None:
    traffic.error = RuntimeError("a bug")
    response = await api.post("/v1/verdict", json=asked)
    assert response.status_code == 500
    assert "RuntimeError" in response.json()["error"]["message"]


async def test_an_unknown_path_has_the_same_shape(api: httpx.AsyncClient) -> None:
    assert (await api.get("/v2")).json()["error"]["message"] == "Not Found"


async def test_rollback_says_yes_to_nothing_but_a_fail(
    api: httpx.AsyncClient, traffic: Any, asked: dict[str, Any]
) -> None:
    """To Flagger a yes rolls back now: neither undecided, pass nor any error may be one."""
    traffic.steady(**BAD)
    assert (await api.post("/v1/flagger/rollback", json=hook(asked))).status_code == 200
    traffic.steady(**GOOD).weight = 10
    response = await api.post("/v1/flagger/rollback", json=hook(asked))
    assert response.status_code == 409
    assert "the SLO allows 1 %" in response.json()["why"]
    traffic.error = QueryError("down")
    assert (await api.post("/v1/flagger/rollback", json=hook(asked))).status_code == 409
    traffic.error = RuntimeError("a bug")
    assert (await api.post("/v1/flagger/rollback", json=hook(asked))).status_code == 500
    assert (await api.post("/v1/flagger/rollback", json=hook("{}"))).status_code == 422


@pytest.mark.parametrize("gate", ["confirm-traffic-increase", "confirm-promotion"])
async def test_gates_open_on_a_pass_only(
    api: httpx.AsyncClient, traffic: Any, asked: dict[str, Any], gate: str
) -> None:
    traffic.steady(**GOOD).weight = 10
    assert (await api.post(f"/v1/flagger/{gate}", json=hook(asked))).status_code == 200
    traffic.steady(**BAD)
    assert (await api.post(f"/v1/flagger/{gate}", json=hook(asked))).status_code == 409
    traffic.error = QueryError("down")
    assert (await api.post(f"/v1/flagger/{gate}", json=hook(asked))).status_code == 409


async def test_a_release_may_begin_without_prometheus(
    api: httpx.AsyncClient, traffic: Any, asked: dict[str, Any]
) -> None:
    """Unless it is a freeze that Prometheus would have to tell of."""
    traffic.error = QueryError("down")
    answer = await api.post("/v1/flagger/confirm-rollout", json=hook(asked))
    assert answer.status_code == 200
    asked["policy"] = {"freeze": True}
    answer = await api.post("/v1/flagger/confirm-rollout", json=hook(asked))
    assert answer.status_code == 409
    assert "down" in answer.json()["why"]


@pytest.mark.parametrize("gate", ["confirm-rollout", "confirm-traffic-increase"])
async def test_a_spent_budget_keeps_a_release_from_beginning(
    api: httpx.AsyncClient, traffic: Any, asked: dict[str, Any], gate: str
) -> None:
    asked["policy"] = {"freeze": True}
    traffic.weight, traffic.budget = 0, {"availability": 0.4, "latency": -0.1}
    answer = await api.post(f"/v1/flagger/{gate}", json=hook(asked))
    assert answer.status_code == 409
    assert "latency is spent" in answer.json()["why"]
    traffic.budget["latency"] = 0.1
    assert (await api.post(f"/v1/flagger/{gate}", json=hook(asked))).status_code == 200


async def test_argo_asks_at_weight_0_whether_a_release_may_begin(
    api: httpx.AsyncClient, traffic: Any, asked: dict[str, Any]
) -> None:
    """Always a decided answer: a missing number or a NaN would let every release through."""
    asked["stage"], asked["policy"] = {"weight": "0"}, {"freeze": True}
    expected = {-0.2: ("undecided", "budget_exhausted"), 0.2: ("pass", "may_begin")}
    for left, decided in expected.items():
        traffic.budget = {"availability": left}
        response = await api.post("/v1/verdict", json=asked)
        answer = strictly(response.text)
        assert response.status_code == 200
        assert (answer["verdict"], answer["reason"]) == decided
        assert answer["indicators"] == []
        assert "query" not in answer


class Hanging:
    """A Prometheus that accepts every question and answers none."""

    async def query_range(self, _: object) -> list[Any]:
        return await asyncio.Event().wait() and []

    async def query(self, _: str) -> list[Any]:
        return await asyncio.Event().wait() and []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/verdict", 200),
        ("/v1/flagger/rollout", 409),
        ("/v1/flagger/rollback", 409),
        ("/v1/flagger/confirm-rollout", 409),
        ("/v1/flagger/confirm-traffic-increase", 409),
        ("/v1/flagger/confirm-promotion", 409),
    ],
)
async def test_a_prometheus_that_hangs_is_a_reason_before_the_asker_hangs_up(
    asked: dict[str, Any], path: str, status: int
) -> None:
    asked["answer_within"], asked["policy"] = "100ms", {"freeze": True}
    async with client_for(Hanging()) as api:
        response = await api.post(path, json=hook(asked) if "flagger" in path else asked)
    assert response.status_code == status
    assert "did not answer in 0.1 s" in response.json()["why"]


async def test_only_a_data_fault_halts_by_the_hook_whose_reason_flagger_shows(
    api: httpx.AsyncClient, traffic: Any, asked: dict[str, Any]
) -> None:
    """Undecided and fail act through other hooks: here they would count as failed checks."""
    for kind in (GOOD, BAD):
        traffic.steady(**kind)
        assert (await api.post("/v1/flagger/rollout", json=hook(asked))).status_code == 200
    traffic.error = QueryError("Prometheus is down")
    answer = await api.post("/v1/flagger/rollout", json=hook(asked))
    assert answer.status_code == 409
    assert "Prometheus is down" in answer.json()["why"]


async def test_events_are_kept_in_the_log(
    api: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    payload = {
        "name": "payments",
        "namespace": "shop",
        "phase": "Failed",
        "metadata": {"eventMessage": "Rolling back payments.shop", "eventType": "Warning"},
    }
    with caplog.at_level(logging.INFO):
        assert (await api.post("/v1/flagger/event", json=payload)).status_code == 200
    (record,) = [one for one in caplog.records if one.getMessage() == "flagger event"]
    line = json.loads(JsonFormatter().format(record))
    assert line["metadata"]["eventMessage"] == "Rolling back payments.shop"


async def test_the_log_explains_the_digest_once(
    api: httpx.AsyncClient, traffic: Any, asked: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    traffic.steady(**GOOD)
    with caplog.at_level(logging.INFO):
        digests = {(await api.post("/v1/verdict", json=asked)).json()["query"] for _ in range(3)}
    lines = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
    (query,) = [line for line in lines if line["message"] == "query"]
    verdicts = [line for line in lines if line["message"] == "verdict"]
    assert digests == {query["query"]}
    assert "istio_requests_total" in query["text"]
    assert [line["reason"] for line in verdicts] == ["non_inferior"] * 3


async def test_metrics_tell_what_was_decided_on_what(
    api: httpx.AsyncClient, traffic: Any, asked: dict[str, Any]
) -> None:
    traffic.steady(**BAD)
    await api.post("/v1/verdict", json=asked)
    exposition = (await api.get("/metrics")).text
    samples = {
        (sample.name, *(sample.labels.get(key) for key in ("verdict", "indicator", "arm", "test"))):
        sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    }  # fmt: skip
    assert samples["sluice_verdicts_total", "fail", None, None, None] == 1
    assert samples["sluice_bad_requests", None, "availability", "canary", None] == 180
    assert samples["sluice_requests", None, "latency", "stable", None] == 5400
    harm = samples["sluice_evidence", None, "availability", None, "harm"]
    assert harm > samples["sluice_evidence_threshold", None, "availability", None, "harm"]


@pytest.mark.parametrize("probe", ["/healthz", "/readyz"])
async def test_the_judge_is_ready_without_prometheus(
    api: httpx.AsyncClient, traffic: Any, probe: str
) -> None:
    """Out of service it could not say "undecided", and Argo would abort."""
    traffic.error = QueryError("down")
    assert (await api.get(probe)).status_code == 200


async def test_the_api_describes_itself(api: httpx.AsyncClient) -> None:
    paths = (await api.get("/openapi.json")).json()["paths"]
    assert "/v1/verdict" in paths
    assert "/v1/flagger/confirm-traffic-increase" in paths
