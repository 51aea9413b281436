"""The judge's settings, from the environment. A mistake names the variable and the fix."""

import json
import re
import ssl
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    HttpUrl,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from plugin.hint import Hint
from plugin.indicators import Reporter
from plugin.prometheus.access import Access, Basic, Bearer, Credentials, Nobody, SigV4, Tls
from plugin.secretfile import SecretError, read_secret, read_secrets

_PREFIX = "SLUICE_"
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_ADDRESS = "write an address, such as http://prometheus.monitoring:9090"
_PLAIN = {
    "missing": _ADDRESS,
    "url_parsing": _ADDRESS,
    "url_scheme": _ADDRESS,
    "int_parsing": "write a whole number without a unit; of seconds, where it is a time",
}
"""What to write, where pydantic only says what is wrong. Only the address is required."""
_SERVICE_LINK = re.compile(r".*_(SERVICE_(HOST|PORT).*|PORT(_\d+_.*)?)")
"""What Kubernetes sets in every pod for each Service, of whatever name."""
_RESERVED_HEADERS = {"authorization", "host", "content-type", "content-length", "accept-encoding"}


def _address(url: HttpUrl) -> HttpUrl:
    if url.username or url.password:
        raise PydanticCustomError(
            "address",
            "credentials do not belong in the address: use SLUICE_PROMETHEUS_USERNAME and "
            "SLUICE_PROMETHEUS_PASSWORD_FILE",
        )
    if url.query or url.fragment or "/api/v1" in (url.path or ""):
        raise PydanticCustomError("address", 'write only what stands before "/api/v1"')
    return url


def _one_secret(file: Path) -> Path:
    return _readable(file, read_secret)


def _secrets(file: Path) -> Path:
    return _readable(file, read_secrets)


def _readable(file: Path, read: Any) -> Path:
    try:
        read(file)
    except SecretError as error:
        raise PydanticCustomError("secret", "{problem}", {"problem": str(error)}) from None
    return file


def _headers(value: object) -> object:
    """A JSON object of header names and values that are safe to send."""
    try:
        headers = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        headers = None
    if not isinstance(headers, dict) or not all(isinstance(one, str) for one in headers.values()):
        raise PydanticCustomError(
            "headers", 'write a JSON object of texts, for example {"X-Scope-OrgID": "team-a"}'
        )
    for name, text in headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _RESERVED_HEADERS:
            raise PydanticCustomError(
                "headers",
                "{name} cannot be set here; credentials have variables of their own",
                {"name": repr(name[:80])},
            )
        if not (text.isascii() and text.isprintable()):
            raise PydanticCustomError(
                "headers", "the value of {name} has to be printable ASCII", {"name": name[:80]}
            )
    return headers


def _opens(file: Path) -> Path:
    """Of a missing certificate SSL would not say the name."""
    try:
        file.open("rb").close()
    except OSError as error:
        raise PydanticCustomError(
            "file", "{file}: {why}", {"file": str(file), "why": error.strerror}
        ) from None
    return file


Secret = Annotated[Path, AfterValidator(_one_secret)]
Certificate = Annotated[Path, AfterValidator(_opens)]
Region = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$"),
    Hint("write a region, such as eu-central-1"),
]


class Settings(BaseSettings):
    """`SLUICE_PROMETHEUS_URL` is required; the address is the operator's, never the request's.

    Secrets are files, which Kubernetes may replace while the judge runs.
    """

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_ignore_empty=True,
        populate_by_name=True,
        frozen=True,
        hide_input_in_errors=True,
    )

    prometheus_url: Annotated[HttpUrl, AfterValidator(_address)]
    """Prometheus, Thanos, Mimir or Amazon Managed Prometheus: what stands before "/api/v1"."""
    prometheus_username: str | None = None
    prometheus_password_file: Secret | None = None
    prometheus_token_file: Secret | None = None
    """A bearer token."""
    prometheus_aws_region: Region | None = None
    """Sign requests with SigV4 for Amazon Managed Prometheus in this region."""
    prometheus_ca_file: Certificate | None = None
    prometheus_cert_file: Certificate | None = None
    prometheus_key_file: Certificate | None = None
    prometheus_headers: Annotated[dict[str, SecretStr], NoDecode, BeforeValidator(_headers)] = (
        Field(default_factory=dict)
    )
    """Sent with every query, such as a tenant's {"X-Scope-OrgID": …}."""
    scrape_interval: int = Field(default=15, ge=1, le=300)
    """Seconds between two scrapes of the request metrics."""
    istio_reporter: Reporter = "source"
    """Whose request counts to use; "destination" where callers are outside of the mesh."""
    token_file: Annotated[Path, AfterValidator(_secrets)] | None = None
    """Bearer tokens, one a line, of which /v1/verdict demands one."""
    host: str = Field(default="0.0.0.0", validation_alias="HOST")  # noqa: S104 a pod's address
    port: int = Field(default=8080, ge=0, le=65535, validation_alias="PORT")

    @model_validator(mode="after")
    def _one_way_to_authenticate(self) -> Self:
        if (self.prometheus_username is None) != (self.prometheus_password_file is None):
            raise _misfit("PROMETHEUS_PASSWORD_FILE", "goes with SLUICE_PROMETHEUS_USERNAME")
        ways = {
            "PROMETHEUS_USERNAME": self.prometheus_username,
            "PROMETHEUS_TOKEN_FILE": self.prometheus_token_file,
            "PROMETHEUS_AWS_REGION": self.prometheus_aws_region,
        }
        chosen = [name for name, value in ways.items() if value is not None]
        if len(chosen) > 1:
            raise _misfit(chosen[1], f"remove it or {_PREFIX}{chosen[0]}: choose one of the two")
        return self

    @model_validator(mode="after")
    def _certificates_load(self) -> Self:
        tls = self._tls
        if tls == Tls():
            return self
        if self.prometheus_url.scheme != "https":
            raise _misfit("PROMETHEUS_URL", "has to begin with https:// to use certificates")
        if self.prometheus_key_file and not self.prometheus_cert_file:
            raise _misfit("PROMETHEUS_CERT_FILE", "goes with SLUICE_PROMETHEUS_KEY_FILE")
        for name, part in (
            ("PROMETHEUS_CA_FILE", Tls(ca_file=tls.ca_file)),
            ("PROMETHEUS_CERT_FILE", Tls(cert_file=tls.cert_file, key_file=tls.key_file)),
        ):
            try:
                part.context()
            except ssl.SSLError as error:
                raise _misfit(name, f"is no PEM file of that kind ({error.reason})") from None
        return self

    @property
    def access(self) -> Access:
        """How Prometheus is told who asks."""
        extra = {name: one.get_secret_value() for name, one in self.prometheus_headers.items()}
        return Access(self._credentials, self._tls, extra)

    @property
    def _credentials(self) -> Credentials:
        if self.prometheus_username is not None and self.prometheus_password_file:
            return Basic(self.prometheus_username, self.prometheus_password_file)
        if self.prometheus_token_file:
            return Bearer(self.prometheus_token_file)
        if self.prometheus_aws_region:
            return SigV4(self.prometheus_aws_region)
        return Nobody()

    @property
    def _tls(self) -> Tls:
        return Tls(self.prometheus_ca_file, self.prometheus_cert_file, self.prometheus_key_file)


def problems(error: ValidationError) -> Iterator[str]:
    """One line per mistake, with the variable to correct; never with what was in it."""
    for problem in error.errors(include_input=False, include_url=False):
        named = problem["loc"][0] if problem["loc"] else problem.get("ctx", {})["variable"]
        name = str(named).upper()
        message = _PLAIN.get(problem["type"], problem["msg"])
        yield f"{name if name in {'HOST', 'PORT'} else _PREFIX + name}: {message}"


def misspelt(variables: Iterable[str]) -> Iterator[str]:
    """One line per variable that is nearly one of the settings: it would do nothing at all.

    Others that begin alike are not ours to judge.
    """
    known = [_PREFIX + name.upper() for name in Settings.model_fields]
    for name in sorted(set(variables) - set(known)):
        if name.startswith(_PREFIX) and not _SERVICE_LINK.fullmatch(name):
            for meant in get_close_matches(name, known, 1, 0.85):
                yield f"{name}: there is no such setting; did you mean {meant}?"


def _misfit(variable: str, message: str) -> PydanticCustomError:
    return PydanticCustomError("misfit", "{message}", {"message": message, "variable": variable})
