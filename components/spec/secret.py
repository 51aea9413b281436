"""The name of a Secret. What is in one never reaches a stack file, the program or its state."""

import re
from typing import Annotated

from pydantic import AfterValidator

from components import conventions


def exists_in(namespaces: str) -> AfterValidator:
    """Check a name; `namespaces` tells the person who has it wrong where to look for a right one.

    Whether there is such a Secret the program does not know: a preview needs no cluster.
    """

    def check(value: str) -> str:
        if len(value) > 253 or not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", value):
            # Not quoted: it may be the secret itself.
            raise ValueError(
                "is no name of a Secret; write the name (lower-case letters, digits, '-' and '.') "
                f"of one that exists in {namespaces}, never what is in it"
            )
        return value

    return AfterValidator(check)


PlatformSecret = Annotated[str, exists_in(conventions.PLATFORM_NAMESPACE)]
"""One that the judge's pods mount."""

TokenSecret = Annotated[
    str,
    exists_in(
        f"{conventions.PLATFORM_NAMESPACE} and in each namespace of services on Argo Rollouts, "
        f"with the key {conventions.TOKEN_KEY}"
    ),
]
"""One that the judge's pods mount, and that Argo reads beside each Rollout."""
