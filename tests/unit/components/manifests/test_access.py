"""What the judge's pods get to prove who they are, read by the judge's own settings."""

from pathlib import Path
from typing import Any

import pytest

from components.manifests import platform
from components.spec.access import PrometheusAccess
from plugin.settings import Settings

URL = "https://prometheus.example.com"
ROLE = "arn:aws:iam::012345678901:role/judge"
Objects = dict[str, dict[str, Any]]


def objects(url: str = URL, tokens: str | None = None, **access: Any) -> Objects:
    read = PrometheusAccess.model_validate(access)
    manifests = platform.judge("sluice/judge:0.1.0", url, 15, read, token_secret=tokens)
    return {manifest.kind: manifest.body for manifest in manifests}


def pod(made: Objects) -> dict[str, Any]:
    return made["Deployment"]["spec"]["template"]["spec"]


def env(made: Objects) -> dict[str, str]:
    (container,) = pod(made)["containers"]
    return {each["name"]: each["value"] for each in container["env"]}


def egress(made: Objects) -> list[dict[str, Any]]:
    return made["NetworkPolicy"]["spec"]["egress"]


def secrets(made: Objects) -> dict[str, tuple[str, list[str]]]:
    """Where in the container which keys of which Secret are."""
    (container,) = pod(made)["containers"]
    places = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    return {
        places[volume["name"]]: (
            volume["secret"]["secretName"],
            [item["key"] for item in volume["secret"]["items"]],
        )
        for volume in pod(made)["volumes"]
        if "secret" in volume
    }


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Start the judge's settings as in the pod: its environment, its Secrets as files."""

    def start(made: Objects) -> Settings:
        for place, (_, keys) in secrets(made).items():
            folder = tmp_path / place.lstrip("/")
            folder.mkdir(parents=True)
            for key in keys:
                (folder / key).write_text(f"what is in {key}\n")
        for name, value in env(made).items():
            monkeypatch.setenv(name, f"{tmp_path}{value}" if name.endswith("_FILE") else value)
        return Settings()  # pyright: ignore[reportCallIssue] - from the environment

    return start


def test_by_default_there_is_nothing_to_prove() -> None:
    made = objects()
    assert set(env(made)) == {
        "SLUICE_PROMETHEUS_URL",
        "SLUICE_SCRAPE_INTERVAL",
        "SLUICE_ISTIO_REPORTER",
    }
    assert secrets(made) == {}
    assert "annotations" not in made["ServiceAccount"]["metadata"]


def test_basic_authentication(started: Any) -> None:
    made = objects(basic={"username": "judge", "secret": "login"})
    assert secrets(made) == {"/etc/sluice/prometheus-password": ("login", ["password"])}
    settings = started(made)
    assert settings.prometheus_username == "judge"
    assert settings.prometheus_password_file.read_text() == "what is in password\n"


def test_a_bearer_token_and_a_tenant(started: Any) -> None:
    made = objects(bearer="mimir", headers={"X-Scope-OrgID": "team-a"})
    assert secrets(made) == {"/etc/sluice/prometheus-token": ("mimir", ["token"])}
    settings = started(made)
    assert settings.prometheus_token_file.read_text() == "what is in token\n"
    assert settings.access.extra == {"X-Scope-OrgID": "team-a"}


def test_certificates_have_the_names_that_kubernetes_gives_them() -> None:
    made = objects(ca="internal-ca", certificate="judge-client")
    assert secrets(made) == {
        "/etc/sluice/prometheus-ca": ("internal-ca", ["ca.crt"]),
        "/etc/sluice/prometheus-certificate": ("judge-client", ["tls.crt", "tls.key"]),
    }
    certificate = "/etc/sluice/prometheus-certificate"
    files = {name: path for name, path in env(made).items() if name.endswith("_FILE")}
    assert files == {
        "SLUICE_PROMETHEUS_CA_FILE": "/etc/sluice/prometheus-ca/ca.crt",
        "SLUICE_PROMETHEUS_CERT_FILE": f"{certificate}/tls.crt",
        "SLUICE_PROMETHEUS_KEY_FILE": f"{certificate}/tls.key",
    }
    known = {f"SLUICE_{field.upper()}" for field in Settings.model_fields}
    assert set(files) <= known


def test_one_secret_may_hold_authority_and_certificate() -> None:
    """As cert-manager writes them; two volumes of one name would be refused."""
    volumes = pod(objects(ca="judge-tls", certificate="judge-tls"))["volumes"]
    names = [volume["name"] for volume in volumes]
    assert sorted(set(names)) == sorted(names)


def test_a_role_comes_from_sts(started: Any) -> None:
    made = objects(sigv4={"region": "eu-central-1", "role": ROLE}, url=f"{URL}:8443")
    assert made["ServiceAccount"]["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": ROLE}
    assert egress(made)[-1] == {"ports": [{"protocol": "TCP", "port": 443}]}
    assert started(made).prometheus_aws_region == "eu-central-1"


def test_without_a_role_credentials_come_from_the_pod_identity_agent() -> None:
    made = objects(sigv4={"region": "eu-central-1"})
    assert "annotations" not in made["ServiceAccount"]["metadata"]
    assert egress(made)[-1] == {
        "to": [
            {"ipBlock": {"cidr": "169.254.170.23/32"}},
            {"ipBlock": {"cidr": "fd00:ec2::23/128"}},
        ],
        "ports": [{"protocol": "TCP", "port": 80}],
    }


@pytest.mark.parametrize(
    "access", [{}, {"basic": {"username": "judge", "secret": "login"}}, {"bearer": "mimir"}]
)
def test_others_open_no_way_out(access: dict[str, Any]) -> None:
    assert egress(objects(**access)) == egress(objects())


def test_the_judge_demands_the_tokens_of_its_secret(started: Any) -> None:
    made = objects(tokens="judge-token", bearer="mimir")
    assert secrets(made)["/etc/sluice/tokens"] == ("judge-token", ["token"])
    assert started(made).token_file.read_text() == "what is in token\n"


def test_secrets_are_read_only_and_followed_when_they_are_replaced() -> None:
    """A subPath would show the first value until the pod ends."""
    (container,) = pod(objects(bearer="mimir", tokens="judge-token"))["containers"]
    tmp, *mounts = container["volumeMounts"]
    assert tmp["mountPath"] == "/tmp"  # noqa: S108
    assert [mount["readOnly"] for mount in mounts] == [True, True]
    assert not any("subPath" in mount for mount in mounts)
