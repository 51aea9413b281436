"""What the judge's pods need to prove to Prometheus who they are.

Variables are those of the judge (docs/judge.md, Settings); the ways to AWS credentials are those of
Amazon EKS: a role of the service account (IRSA), or the Pod Identity agent of the node.
"""

import json
from collections.abc import Iterator

from components.manifests import network
from components.manifests.manifest import Body
from components.manifests.secretfiles import SecretFiles
from components.spec.access import PrometheusAccess

_HTTPS = 443
_POD_IDENTITY_AGENT = ("169.254.170.23/32", "fd00:ec2::23/128")
_POD_IDENTITY_PORT = 80


def files(access: PrometheusAccess) -> Iterator[SecretFiles]:
    """The Secrets to mount."""
    if access.basic:
        password = {"password": "SLUICE_PROMETHEUS_PASSWORD_FILE"}
        yield SecretFiles("prometheus-password", access.basic.secret, password)
    if access.bearer:
        token = {"token": "SLUICE_PROMETHEUS_TOKEN_FILE"}
        yield SecretFiles("prometheus-token", access.bearer, token)
    if access.ca:
        authority = {"ca.crt": "SLUICE_PROMETHEUS_CA_FILE"}
        yield SecretFiles("prometheus-ca", access.ca, authority)
    if access.certificate:
        pair = {
            "tls.crt": "SLUICE_PROMETHEUS_CERT_FILE",
            "tls.key": "SLUICE_PROMETHEUS_KEY_FILE",
        }
        yield SecretFiles("prometheus-certificate", access.certificate, pair)


def environment(access: PrometheusAccess) -> dict[str, str]:
    """What is no secret."""
    env = {}
    if access.basic:
        env["SLUICE_PROMETHEUS_USERNAME"] = access.basic.username
    if access.sigv4:
        env["SLUICE_PROMETHEUS_AWS_REGION"] = access.sigv4.region
    if access.headers:
        env["SLUICE_PROMETHEUS_HEADERS"] = json.dumps(access.headers, sort_keys=True)
    return env


def identity(access: PrometheusAccess) -> dict[str, str]:
    """Annotations of the service account; Pod Identity needs none."""
    role = access.sigv4.role if access.sigv4 else None
    return {"eks.amazonaws.com/role-arn": role} if role else {}


def egress(access: PrometheusAccess) -> list[Body]:
    """Where credentials come from: STS for a role, or else the agent on the node."""
    if access.sigv4 is None:
        return []
    if access.sigv4.role:
        return [{"ports": [network.tcp(_HTTPS)]}]
    agent = [{"ipBlock": {"cidr": address}} for address in _POD_IDENTITY_AGENT]
    return [{"to": agent, "ports": [network.tcp(_POD_IDENTITY_PORT)]}]
