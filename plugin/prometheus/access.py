"""How Prometheus is told who asks: basic, bearer, AWS SigV4, client certificate, extra headers.

Secrets are files. Kubernetes replaces mounted ones while the judge runs, so each is read when it is
used, and neither it nor what is in it is kept, printed or logged.
"""

import asyncio
import base64
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from plugin.prometheus.errors import ConfigError, QueryError, line
from plugin.secretfile import SecretError, read_secret

FORM = "application/x-www-form-urlencoded"


class Credentials(Protocol):
    """What is added to one request. Raises ConfigError if a secret is not there."""

    async def headers(self, url: str, body: bytes) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Nobody:
    """The default: the network is what keeps others away."""

    async def headers(self, url: str, body: bytes) -> Mapping[str, str]:  # noqa: ARG002
        return {}


@dataclass(frozen=True)
class Basic:
    username: str
    password_file: Path

    async def headers(self, url: str, body: bytes) -> Mapping[str, str]:  # noqa: ARG002
        pair = f"{self.username}:{_secret(self.password_file)}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


@dataclass(frozen=True)
class Bearer:
    token_file: Path

    async def headers(self, url: str, body: bytes) -> Mapping[str, str]:  # noqa: ARG002
        return {"Authorization": f"Bearer {_secret(self.token_file)}"}


class SigV4:
    """Amazon Managed Prometheus: each request is signed.

    The credentials are whatever botocore finds: variables, IRSA, pod identity, the node's role. It
    renews those that expire, which blocks, hence the thread.
    """

    def __init__(self, region: str) -> None:
        # Only here: it takes 30 MB, which nobody else should pay for.
        import botocore.session  # noqa: PLC0415

        self._region = region
        self._session = botocore.session.Session()
        self._one_at_a_time = threading.Lock()

    async def headers(self, url: str, body: bytes) -> Mapping[str, str]:
        return await asyncio.to_thread(self._sign, url, body)

    def _sign(self, url: str, body: bytes) -> Mapping[str, str]:
        from botocore.auth import SigV4Auth  # noqa: PLC0415
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        request = AWSRequest("POST", url, headers={"Content-Type": FORM}, data=body)
        try:
            with self._one_at_a_time:
                found = self._session.get_credentials()
                if found is None:
                    raise ConfigError(
                        "no AWS credentials to ask Prometheus with: give the judge's service "
                        "account a role (IRSA or pod identity)"
                    )
                SigV4Auth(found.get_frozen_credentials(), "aps", self._region).add_auth(request)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "an error")
            raise ConfigError(f"AWS refused the judge's credentials: {line(code)}") from None
        except (BotoCoreError, RuntimeError) as error:  # the latter: could not be renewed in time
            raise QueryError(f"AWS gave no credentials: {type(error).__name__}") from None
        return dict(request.headers.items())


@dataclass(frozen=True)
class Tls:
    """Whom to trust, and the client certificate to show; the system's authorities by default."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Raises OSError, which includes ssl.SSLError, if a file is not what it should be."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.cert_file:
            context.load_cert_chain(self.cert_file, self.key_file, password="")
        return context

    def versions(self) -> tuple[tuple[int, int], ...]:
        """Changes when a file does. Raises OSError."""
        files = [one for one in (self.ca_file, self.cert_file, self.key_file) if one]
        return tuple((at.st_ino, at.st_mtime_ns) for at in (one.stat() for one in files))


@dataclass(frozen=True)
class Access:
    """All of it. `extra` are headers as they are, such as the tenant's."""

    credentials: Credentials = Nobody()
    tls: Tls = Tls()
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)


def _secret(file: Path) -> str:
    try:
        return read_secret(file)
    except SecretError as error:
        raise ConfigError(str(error)) from None
