"""Starting the judge: settings come from the environment, and mistakes in them are named."""

import socket

import pytest

from plugin.__main__ import main
from plugin.settings import Settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLUICE_PROMETHEUS_URL", "SLUICE_SCRAPE_INTERVAL", "HOST", "PORT"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_prometheus_it_says_which_variable_to_set(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main() == 2
    assert capsys.readouterr().err.startswith("SLUICE_PROMETHEUS_URL:")


def test_every_wrong_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLUICE_PROMETHEUS_URL", "prometheus")
    monkeypatch.setenv("SLUICE_SCRAPE_INTERVAL", "often")
    monkeypatch.setenv("PORT", "http")
    assert main() == 2
    named = [line.split(":")[0] for line in capsys.readouterr().err.splitlines()]
    assert named == ["SLUICE_PROMETHEUS_URL", "SLUICE_SCRAPE_INTERVAL", "PORT"]


def test_a_misspelt_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLUICE_PROMETHEUS_URL", "http://prometheus:9090")
    monkeypatch.setenv("SLUICE_TOKENFILE", "/token")
    assert main() == 2
    assert capsys.readouterr().err.startswith("SLUICE_TOKENFILE: ")


def test_so_is_a_misspelt_one_that_is_required(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLUICE_PROMETEUS_URL", "http://prometheus:9090")
    assert main() == 2
    named = [line.split(":")[0] for line in capsys.readouterr().err.splitlines()]
    assert named == ["SLUICE_PROMETHEUS_URL", "SLUICE_PROMETEUS_URL"]


def test_an_address_on_which_nothing_can_listen_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLUICE_PROMETHEUS_URL", "http://prometheus:9090")
    monkeypatch.setenv("HOST", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        assert main() == 2
    said = f"HOST, PORT: cannot listen on 127.0.0.1, port {port} (Address already in use)"
    assert capsys.readouterr().err.strip() == said


def test_a_host_that_is_no_name_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLUICE_PROMETHEUS_URL", "http://prometheus:9090")
    monkeypatch.setenv("HOST", "a..b")
    assert main() == 2
    assert capsys.readouterr().err.startswith("HOST, PORT: cannot listen on a..b")


def test_host_and_port_have_no_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_PROMETHEUS_URL", "http://prometheus:9090/base")
    monkeypatch.setenv("HOST", "127.0.0.9")
    monkeypatch.setenv("PORT", "80")
    settings = Settings()  # pyright: ignore[reportCallIssue]
    assert (settings.host, settings.port, settings.scrape_interval) == ("127.0.0.9", 80, 15)
