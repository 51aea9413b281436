"""Who asks: each way to authenticate, as a server sees it, and no secret anywhere else."""

import base64
import datetime
import hashlib
import hmac
import logging
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from plugin.prometheus import Access, ConfigError, Prometheus, QueryError
from plugin.prometheus.access import Basic, Bearer, SigV4, Tls
from plugin.promql.query import Query

QUERY = Query("up", start=100, end=200, step=10)
EMPTY = {"status": "success", "data": {"resultType": "matrix", "result": []}}


class Server:
    """Remembers what it was sent."""

    def __init__(self) -> None:
        self.requests: list[tuple[web.Request, bytes]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append((request, await request.read()))
        return web.json_response(EMPTY)

    @property
    def authorization(self) -> list[str | None]:
        return [request.headers.get("Authorization") for request, _ in self.requests]


async def ask(url: str, access: Access, times: int = 1) -> None:
    one = Prometheus(url, lambda *_: None, access)
    try:
        for _ in range(times):
            await one.query_range(QUERY)
    finally:
        await one.close()


async def test_basic_and_the_tenants_header(serve: Any, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("s3cret\n")
    server = Server()
    access = Access(Basic("judge", password), extra={"X-Scope-OrgID": "team-a"})
    await ask(await serve(server.answer), access)
    assert server.authorization == ["Basic " + base64.b64encode(b"judge:s3cret").decode()]
    assert server.requests[0][0].headers["X-Scope-OrgID"] == "team-a"


async def test_a_rotated_token_is_used_at_once(serve: Any, tmp_path: Path) -> None:
    token, server = tmp_path / "token", Server()
    token.write_text("old")
    one = Prometheus(await serve(server.answer), lambda *_: None, Access(Bearer(token)))
    await one.query_range(QUERY)
    token.write_text("new")
    await one.query_range(QUERY)
    token.unlink()
    with pytest.raises(ConfigError, match="token cannot be read"):
        await one.query_range(QUERY)
    await one.close()
    assert server.authorization == ["Bearer old", "Bearer new"]


def test_secrets_have_no_representation(tmp_path: Path) -> None:
    access = Access(Bearer(tmp_path / "token"), extra={"X-Key": "s3cret"})
    assert "s3cret" not in repr(access)


# AWS Signature Version 4


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No credentials but those a test gives; nothing asks a real endpoint."""
    for name in ("AWS_PROFILE", "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    yield


def signature(request: web.Request, body: bytes, secret: str) -> str:
    """The Authorization header of AWS' description of Signature Version 4, worked out anew."""
    given = request.headers["Authorization"]
    signed = given.split("SignedHeaders=")[1].split(",")[0]
    scope = given.split("Credential=")[1].split(",")[0].split("/", 1)[1]
    canonical = "\n".join(
        [
            request.method,
            request.path,
            "",
            *(f"{name}:{request.headers[name].strip()}" for name in signed.split(";")),
            "",
            signed,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    to_sign = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            request.headers["X-Amz-Date"],
            scope,
            hashlib.sha256(canonical.encode()).hexdigest(),
        ]
    )
    key = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


def signed_by(server: Server, secret: str) -> bool:
    ((request, body),) = server.requests
    return request.headers["Authorization"].endswith(
        f"Signature={signature(request, body, secret)}"
    )


@pytest.mark.usefixtures("aws")
async def test_requests_to_amazon_are_signed(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    server = Server()
    await ask(await serve(server.answer), Access(SigV4("eu-west-1")))
    ((request, _),) = server.requests
    assert "AKIDEXAMPLE/" in request.headers["Authorization"]
    assert "/eu-west-1/aps/aws4_request" in request.headers["Authorization"]
    assert signed_by(server, "s3cret")


@pytest.mark.usefixtures("aws")
async def test_credentials_of_pod_identity_are_found(
    serve: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def agent(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "pod-token"
        tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
        return web.json_response(
            {
                "AccessKeyId": "AKIDPOD",
                "SecretAccessKey": "pod-s3cret",
                "Token": "session",
                "Expiration": tomorrow.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        )

    (tmp_path / "token").write_text("pod-token")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", await serve(agent) + "/credentials")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
    server = Server()
    await ask(await serve(server.answer), Access(SigV4("eu-west-1")))
    assert server.requests[0][0].headers["X-Amz-Security-Token"] == "session"
    assert signed_by(server, "pod-s3cret")


@pytest.mark.usefixtures("aws")
async def test_credentials_of_a_service_accounts_role_are_found(
    serve: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """IRSA: the mounted token is exchanged for the role's credentials."""

    async def sts(request: web.Request) -> web.Response:
        form = await request.post()
        assert form["Action"] == "AssumeRoleWithWebIdentity"
        assert form["WebIdentityToken"] == "service-account"
        return web.Response(
            content_type="text/xml",
            text=(
                "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
                "<AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>role-s3cret</SecretAccessKey>"
                "<SessionToken>session</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration>"
                "</Credentials></AssumeRoleWithWebIdentityResult>"
                "</AssumeRoleWithWebIdentityResponse>"
            ),
        )

    (tmp_path / "token").write_text("service-account")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/judge")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", await serve(sts) + "/")
    server = Server()
    await ask(await serve(server.answer), Access(SigV4("eu-west-1")))
    assert signed_by(server, "role-s3cret")


@pytest.mark.usefixtures("aws")
async def test_without_aws_credentials_it_says_what_to_give(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="IRSA or pod identity"):
        await ask(await serve(Server().answer), Access(SigV4("eu-west-1")))


# TLS


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{folder.name} CA")])
        self.certificate = self._signed(self.name, self.key.public_key(), authority=True)
        self.file = folder / "ca.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> tuple[Path, Path]:
        """The files of a certificate and its key; a second one replaces the first."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._signed(subject, key.public_key())
        cert_file, key_file = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return cert_file, key_file

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, authority: bool = False
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        address = x509.SubjectAlternativeName([x509.DNSName("localhost")])
        builder = x509.CertificateBuilder(
            self.name, subject, key, x509.random_serial_number(), now, now + _DAY
        )
        builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
        return builder.add_extension(address, critical=False).sign(self.key, hashes.SHA256())


_DAY = datetime.timedelta(days=1)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    (tmp_path / "ours").mkdir()
    return Authority(tmp_path / "ours")


def demanding(authority: Authority) -> ssl.SSLContext:
    """A server's context that demands a client certificate of the authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(*authority.issue("server"))
    return context


def named(url: str) -> str:
    """The certificates are for a name."""
    return f"https://localhost:{urlsplit(url).port}/base"


async def test_client_certificates_are_shown_and_replaced(serve: Any, authority: Authority) -> None:
    seen = []

    async def handler(request: web.Request) -> web.Response:
        assert request.transport
        seen.append(request.transport.get_extra_info("peercert")["serialNumber"])
        # A connection keeps the certificate that it was opened with.
        return web.json_response(EMPTY, headers={"Connection": "close"})

    url = named(await serve(handler, demanding(authority)))
    tls = Tls(authority.file, *authority.issue("judge"))
    one = Prometheus(url, lambda *_: None, Access(tls=tls))
    await one.query_range(QUERY)
    await one.query_range(QUERY)
    authority.issue("judge")
    await one.query_range(QUERY)
    assert tls.key_file
    tls.key_file.write_text("no key")
    with pytest.raises(ConfigError, match="certificates"):
        await one.query_range(QUERY)
    await one.close()
    assert seen[0] == seen[1] != seen[2]


async def test_without_a_client_certificate_there_is_no_answer(
    serve: Any, authority: Authority
) -> None:
    url = named(await serve(Server().answer, demanding(authority)))
    with pytest.raises(QueryError, match="cannot be reached"):
        await ask(url, Access(tls=Tls(ca_file=authority.file)))


async def test_a_server_of_an_unknown_authority_is_not_trusted(
    serve: Any, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    url, server = named(await serve(Server().answer, demanding(other))), tmp_path / "token"
    server.write_text("s3cret")
    with pytest.raises(ConfigError, match=r"; name its authority in SLUICE_PROMETHEUS_CA_FILE$"):
        await ask(url, Access(Bearer(server), Tls(ca_file=authority.file)))


async def test_a_certificate_of_another_name_is_not_trusted(
    serve: Any, authority: Authority
) -> None:
    url = await serve(Server().answer, demanding(authority))
    problem = "not valid for '127.0.0.1'; write a name that its certificate has in SLUICE_PROM"
    with pytest.raises(ConfigError, match=problem):
        await ask(url, Access(tls=Tls(ca_file=authority.file)))


async def test_a_server_without_tls_is_not_trusted(serve: Any) -> None:
    url = (await serve(Server().answer)).replace("http:", "https:")
    problem = r"trusted: \[SSL.*; does it speak TLS, or is its address http"
    with pytest.raises(ConfigError, match=problem):
        await ask(url, Access())


async def test_no_secret_is_logged(
    serve: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = tmp_path / "token"
    token.write_text("s3cret")

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=401, text="who are you?")

    with pytest.raises(ConfigError, match="who are you") as caught:
        await ask(await serve(handler), Access(Bearer(token), extra={"X-Key": "s3cret"}))
    assert "s3cret" not in caplog.text + repr(caught.value)
