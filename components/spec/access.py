"""How the judge proves to Prometheus who it is. Secrets appear by name only."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from components.spec.secret import PlatformSecret
from plugin.slo import Model

_CREDENTIAL = re.compile(r"auth|cookie|credential|key|passw|secret|token", re.IGNORECASE)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_THE_CLIENTS_OWN = {"host", "content-type", "content-length", "accept-encoding"}

_Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
_Role = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/\S+$")]


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if _CREDENTIAL.search(name):
            raise ValueError(
                f"{name!r} looks like a credential, which must not be written in a stack; name a "
                "Secret in basic, bearer or certificate"
            )
        if not _HEADER.fullmatch(name) or name.lower() in _THE_CLIENTS_OWN:
            raise ValueError(f"{name!r} cannot be sent; write a header such as X-Scope-OrgID")
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"the value of {name!r} has to be printable ASCII")
    return headers


class Basic(Model):
    """Basic authentication."""

    username: str = Field(min_length=1, description="the user's name")
    secret: PlatformSecret = Field(description="a Secret with the key password")


class SigV4(Model):
    """Requests signed for Amazon Managed Prometheus, with the credentials of the judge's pods.

    Pods get them by a role of their service account (IRSA), or else by EKS Pod Identity.
    """

    region: _Region = Field(description='the region of the workspace, such as "eu-central-1"')
    role: _Role | None = Field(
        default=None,
        description='the role of the judge\'s service account, as "arn:aws:iam::ACCOUNT:role/NAME"',
    )


class PrometheusAccess(Model):
    """At most one of `basic`, `bearer` and `sigv4`; certificates and headers go with any of them.

    The Secrets are in the platform's namespace.
    """

    basic: Basic | None = Field(default=None, description="a user, {username, secret}")
    bearer: PlatformSecret | None = Field(default=None, description="a Secret with the key token")
    sigv4: SigV4 | None = Field(
        default=None, description="for Amazon Managed Prometheus, {region, role}"
    )
    ca: PlatformSecret | None = Field(
        default=None, description="a Secret with the key ca.crt: the authority to trust"
    )
    certificate: PlatformSecret | None = Field(
        default=None, description="a Secret with the keys tls.crt and tls.key: who the judge is"
    )
    headers: Annotated[dict[str, str], AfterValidator(_headers)] = Field(
        default={}, description="headers that are no secret, such as {X-Scope-OrgID: team-a}"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = {"basic": self.basic, "bearer": self.bearer, "sigv4": self.sigv4}
        chosen = [name for name, way in ways.items() if way is not None]
        if len(chosen) > 1:
            raise ValueError(f"{' and '.join(chosen)} exclude each other; keep one of them")
        return self

    @property
    def certified(self) -> bool:
        """Whether it takes a connection with TLS."""
        return self.ca is not None or self.certificate is not None


NOBODY = PrometheusAccess()
"""Prometheus asks for nothing: the network is what keeps others away."""
