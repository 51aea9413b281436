"""The token that /v1/verdict may demand."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from plugin.api.app import create_app
from plugin.settings import Settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("t0ken\n")
    return file


def client(traffic: Any, file: Path | None) -> httpx.AsyncClient:
    settings = {"prometheus_url": "http://127.0.0.1:1", "token_file": file}
    app = create_app(Settings.model_validate(settings), traffic)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://judge")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "t0ken"},
        {"Authorization": "Basic t0ken"},
        {"Authorization": "Bearer"},
        bearer(""),
        bearer("t0ke"),
        bearer("t0kent0ken"),
        bearer("t0ken\u00fc".encode().decode("latin-1")),
    ],
)
async def test_without_it_nothing_is_judged(
    traffic: Any, asked: dict[str, Any], file: Path, headers: dict[str, str]
) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    async with client(traffic, file) as judge:
        response = await judge.post("/v1/verdict", json=asked, headers=raw)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "t0ken" not in response.text
    assert traffic.queries == []


async def test_with_it_the_verdict_is_given(
    traffic: Any, asked: dict[str, Any], file: Path
) -> None:
    async with client(traffic, file) as judge:
        response = await judge.post("/v1/verdict", json=asked, headers=bearer("t0ken"))
    assert response.status_code == 200


async def test_tokens_overlap_while_they_are_replaced(
    traffic: Any, asked: dict[str, Any], file: Path
) -> None:
    async with client(traffic, file) as judge:

        async def status(token: str) -> int:
            answer = await judge.post("/v1/verdict", json=asked, headers=bearer(token))
            return answer.status_code

        file.write_text("t0ken\nnext\n")
        assert [await status("t0ken"), await status("next")] == [200, 200]
        file.write_text("next\n")
        assert [await status("t0ken"), await status("next")] == [401, 200]


@pytest.mark.parametrize("content", [None, "", "\n \n"])
async def test_a_file_without_a_token_lets_nobody_in(
    traffic: Any, asked: dict[str, Any], file: Path, content: str | None
) -> None:
    """The judge's own fault, so no verdict: both controllers ask again."""
    async with client(traffic, file) as judge:
        if content is None:
            file.unlink()
        else:
            file.write_text(content)
        for headers in ({}, bearer(""), bearer("t0ken")):
            response = await judge.post("/v1/verdict", json=asked, headers=headers)
            assert response.status_code == 503


async def test_flagger_cannot_send_one(traffic: Any, file: Path) -> None:
    event = {"name": "n", "namespace": "shop", "phase": "Progressing"}
    async with client(traffic, file) as judge:
        assert (await judge.post("/v1/flagger/event", json=event)).status_code == 200
        assert (await judge.get("/metrics")).status_code == 200
