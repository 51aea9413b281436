"""The running judge against its own OpenAPI: no request makes it break its contract."""

import json
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from plugin.api.app import create_app
from plugin.settings import Settings

APP = create_app(Settings.model_validate({"prometheus_url": "http://127.0.0.1:1"}))
SCHEMA = schemathesis.openapi.from_dict(APP.openapi())
OPERATIONS: list[Any] = [found.ok() for found in SCHEMA.get_all_operations()]  # pyright: ignore[reportAttributeAccessIssue]
HOOKS = [one.path for one in OPERATIONS if "/flagger/" in one.path and "event" not in one.path]
FEW = settings(
    max_examples=20,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.fixture(scope="module")
def url(start: Any) -> str:
    return start()[0]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.label)
def test_every_answer_is_described(url: str, operation: Any) -> None:
    """Statuses, content types and bodies; and no 5xx, whatever is sent.

    What a schema allows may still be refused: it cannot say that the arms must not overlap.
    """

    @FEW
    @given(operation.as_strategy())
    def answers_as_described(case: Any) -> None:
        case.call_and_validate(base_url=url, excluded_checks=[positive_data_acceptance])

    answers_as_described()


def test_any_question_in_any_hook_is_a_yes_a_no_or_wrong(url: str) -> None:
    """To a hook the question is only a text, so the schema says nothing about it."""

    @FEW
    @given(SCHEMA["/v1/verdict"]["POST"].as_strategy())
    def answers(case: Any) -> None:
        request = {"request": json.dumps(case.body)}
        hook = {"name": "n", "namespace": "shop", "phase": "Progressing", "metadata": request}
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
            for path in HOOKS:
                answer = client.post(path, json=hook)
                assert answer.status_code in {200, 409, 422}, answer.text

    answers()
