"""Settings: a mistake names the variable and the fix, and no secret is ever shown."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from plugin.prometheus import Access
from plugin.prometheus.access import Basic, Bearer, SigV4
from plugin.settings import Settings, misspelt, problems

URL = "https://prometheus.example/workspaces/w"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_PROMETHEUS_URL", URL)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text("s3cret\n")
    return file


def wrong(monkeypatch: pytest.MonkeyPatch, **variables: object) -> list[str]:
    """What is said about these variables."""
    for name, value in variables.items():
        monkeypatch.setenv(f"SLUICE_{name}", str(value))
    with pytest.raises(ValidationError) as caught:
        Settings()  # pyright: ignore[reportCallIssue] from the environment
    assert "s3cret" not in str(caught.value)
    return list(problems(caught.value))


def right(monkeypatch: pytest.MonkeyPatch, **variables: object) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(f"SLUICE_{name}", str(value))
    return Settings()  # pyright: ignore[reportCallIssue] from the environment


def test_nothing_is_sent_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert right(monkeypatch).access == Access()


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert right(monkeypatch, TOKEN_FILE="", PROMETHEUS_TOKEN_FILE="").token_file is None


def test_each_way_to_authenticate(monkeypatch: pytest.MonkeyPatch, secret: Path) -> None:
    with monkeypatch.context() as once:
        settings = right(once, PROMETHEUS_USERNAME="judge", PROMETHEUS_PASSWORD_FILE=secret)
        assert settings.access.credentials == Basic("judge", secret)
    with monkeypatch.context() as once:
        settings = right(once, PROMETHEUS_TOKEN_FILE=secret)
        assert settings.access.credentials == Bearer(secret)
    settings = right(monkeypatch, PROMETHEUS_AWS_REGION="us-gov-west-1")
    assert isinstance(settings.access.credentials, SigV4)


def test_extra_headers_are_sent_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = right(monkeypatch, PROMETHEUS_HEADERS='{"X-Scope-OrgID": "s3cret"}')
    assert settings.access.extra == {"X-Scope-OrgID": "s3cret"}
    assert "s3cret" not in repr(settings) + repr(settings.access)


@pytest.mark.parametrize(
    ("headers", "complaint"),
    [
        ("X-Scope-OrgID: s3cret", "JSON object"),
        ('["s3cret"]', "JSON object"),
        ('{"X-Scope-OrgID": 7}', "JSON object"),
        ('{"X-Scope\\r\\nHost": "s3cret"}', "cannot be set here"),
        ('{"authorization": "s3cret"}', "variables of their own"),
        ('{"X-Scope-OrgID": "s3cret\\r\\nHost: else"}', "printable"),
        ('{"X-Scope-OrgID": "s3cret ä"}', "printable"),
    ],
)
def test_headers_that_cannot_be_sent(
    monkeypatch: pytest.MonkeyPatch, headers: str, complaint: str
) -> None:
    (problem,) = wrong(monkeypatch, PROMETHEUS_HEADERS=headers)
    assert problem.startswith("SLUICE_PROMETHEUS_HEADERS: ")
    assert complaint in problem
    assert "s3cret" not in problem


def test_the_headers_of_the_example_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    (problem,) = wrong(monkeypatch, PROMETHEUS_HEADERS="{")
    right(monkeypatch, PROMETHEUS_HEADERS=problem.partition("for example ")[2])


def test_times_are_told_to_have_no_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    (problem,) = wrong(monkeypatch, SCRAPE_INTERVAL="15s")
    assert problem.startswith("SLUICE_SCRAPE_INTERVAL: write a whole number without a unit")


def test_a_setting_that_is_misspelt_would_do_nothing() -> None:
    """A judge that should demand a token and does not is open to everybody."""
    variables = ["SLUICE_TOKENFILE", "SLUICE_PROMETHEUS_URI", "SLUICE_TOKEN_FILE"]
    assert list(misspelt(variables)) == [
        "SLUICE_PROMETHEUS_URI: there is no such setting; did you mean SLUICE_PROMETHEUS_URL?",
        "SLUICE_TOKENFILE: there is no such setting; did you mean SLUICE_TOKEN_FILE?",
    ]


def test_what_kubernetes_says_of_its_services_is_no_setting() -> None:
    links = ["PORT", "PORT_9090_TCP", "PORT_9090_TCP_ADDR", "SERVICE_HOST", "SERVICE_PORT_HTTP"]
    assert not list(misspelt(f"SLUICE_PROMETHEUS_{one}" for one in links))
    assert not list(misspelt(["PATH", "SLUICE_HOME"]))


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://judge:s3cret@prometheus", "SLUICE_PROMETHEUS_PASSWORD_FILE"),
        ("http://prometheus/api/v1", 'before "/api/v1"'),
        ("http://prometheus/?token=s3cret", 'before "/api/v1"'),
        ("prometheus:9090", "such as http://prometheus.monitoring:9090"),
        ("ftp://prometheus", "such as http://prometheus.monitoring:9090"),
    ],
)
def test_addresses_that_cannot_be_right(
    monkeypatch: pytest.MonkeyPatch, url: str, complaint: str
) -> None:
    (problem,) = wrong(monkeypatch, PROMETHEUS_URL=url)
    assert problem.startswith("SLUICE_PROMETHEUS_URL: ")
    assert complaint in problem
    assert "s3cret" not in problem


@pytest.mark.parametrize("variable", ["PROMETHEUS_TOKEN_FILE", "TOKEN_FILE"])
def test_a_secret_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    file = tmp_path / "token"
    for content, complaint in ((None, "cannot be read"), ("\n", "is empty"), ("ü", "ASCII")):
        if content is not None:
            file.write_text(content)
        (problem,) = wrong(monkeypatch, **{variable: file})
        assert problem.startswith(f"SLUICE_{variable}: {file} ")
        assert complaint in problem


def test_a_password_without_a_user(monkeypatch: pytest.MonkeyPatch, secret: Path) -> None:
    (problem,) = wrong(monkeypatch, PROMETHEUS_PASSWORD_FILE=secret)
    assert problem == "SLUICE_PROMETHEUS_PASSWORD_FILE: goes with SLUICE_PROMETHEUS_USERNAME"


def test_two_ways_at_once(monkeypatch: pytest.MonkeyPatch, secret: Path) -> None:
    (problem,) = wrong(monkeypatch, PROMETHEUS_TOKEN_FILE=secret, PROMETHEUS_AWS_REGION="eu-west-1")
    assert problem.startswith("SLUICE_PROMETHEUS_AWS_REGION: remove it or SLUICE_PROMETHEUS_TOKEN")


def test_certificates_that_do_not_load(monkeypatch: pytest.MonkeyPatch, secret: Path) -> None:
    for name in ("PROMETHEUS_CA_FILE", "PROMETHEUS_CERT_FILE"):
        with monkeypatch.context() as once:
            (problem,) = wrong(once, **{name: secret})
            assert problem.startswith(f"SLUICE_{name}: ")
    (problem,) = wrong(monkeypatch, PROMETHEUS_KEY_FILE=secret)
    assert problem == "SLUICE_PROMETHEUS_CERT_FILE: goes with SLUICE_PROMETHEUS_KEY_FILE"
    (problem,) = wrong(monkeypatch, PROMETHEUS_URL="http://prometheus")
    assert problem.startswith("SLUICE_PROMETHEUS_URL: has to begin with https://")


@pytest.mark.parametrize("part", ["CA", "CERT", "KEY"])
def test_a_certificate_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, part: str
) -> None:
    missing, variable = tmp_path / "none", f"PROMETHEUS_{part}_FILE"
    (problem,) = wrong(monkeypatch, **{variable: missing})
    assert problem == f"SLUICE_{variable}: {missing}: No such file or directory"


def test_a_region_is_a_region(monkeypatch: pytest.MonkeyPatch) -> None:
    (problem,) = wrong(monkeypatch, PROMETHEUS_AWS_REGION="Ireland")
    assert problem == "SLUICE_PROMETHEUS_AWS_REGION: write a region, such as eu-central-1"


def test_no_setting_shows_a_secret(monkeypatch: pytest.MonkeyPatch, secret: Path) -> None:
    settings = right(monkeypatch, TOKEN_FILE=secret, PROMETHEUS_TOKEN_FILE=secret)
    assert "s3cret" not in repr(settings) + json.dumps(settings.model_dump(mode="json"))
