"""How the judge may prove to Prometheus who it is: one way, and no secret value anywhere."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.spec.access import PrometheusAccess
from components.spec.errors import dotted, problems


def error(**access: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        PrometheusAccess.model_validate(access)
    ((path, sentence),) = problems(caught.value, PrometheusAccess)
    return f"{dotted(path)}: {sentence}"


@pytest.mark.parametrize(
    "access",
    [
        {},
        {"basic": {"username": "judge", "secret": "login"}},
        {"bearer": "token", "headers": {"X-Scope-OrgID": "team-a"}},
        {"sigv4": {"region": "eu-central-1"}},
        {"sigv4": {"region": "us-gov-west-1", "role": "arn:aws-us-gov:iam::012345678901:role/a/b"}},
        {"bearer": "token", "ca": "internal-ca", "certificate": "judge.client"},
    ],
)
def test_each_way_can_be_chosen(access: dict[str, Any]) -> None:
    read = PrometheusAccess.model_validate(access)
    assert read.model_dump(exclude_unset=True, exclude_none=True) == access


@pytest.mark.parametrize(
    ("access", "message"),
    [
        (
            {"basic": {"username": "judge", "secret": "login"}, "bearer": "token"},
            ": basic and bearer exclude each other; keep one of them",
        ),
        ({"basic": {"username": "judge"}}, "basic.secret: is missing; it is a Secret with the key"),
        ({"barer": "token"}, "barer: is no setting; did you mean bearer?"),
        ({"sigv4": {}}, "sigv4.region: is missing; it is the region of the workspace"),
        ({"sigv4": {"region": "Frankfurt"}}, 'such as "eu-central-1"'),
        (
            {"sigv4": {"region": "eu-central-1", "role": "judge"}},
            'as "arn:aws:iam::ACCOUNT:role/NAME"',
        ),
        ({"headers": {"X-Api-Key": "abc"}}, "headers: 'X-Api-Key' looks like a credential"),
        ({"headers": {"Authorization": "abc"}}, "headers: 'Authorization' looks like a credential"),
        ({"headers": {"Host": "abc"}}, "headers: 'Host' cannot be sent"),
        ({"headers": {"X Tenant": "abc"}}, "headers: 'X Tenant' cannot be sent"),
        ({"headers": {"X-Tenant": "a\nb"}}, "headers: the value of 'X-Tenant' has to be printable"),
    ],
)
def test_a_mistake_names_the_field_and_the_fix(access: dict[str, Any], message: str) -> None:
    assert message in error(**access)


@pytest.mark.parametrize("access", [{"bearer": "S3cr3t!"}, {"headers": {"Cookie": "S3cr3t!"}}])
def test_what_may_be_a_secret_is_not_quoted(access: dict[str, Any]) -> None:
    assert "S3cr3t!" not in error(**access)
