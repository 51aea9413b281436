"""The name of a namespace, as Kubernetes takes it."""

import re
from typing import Annotated

from pydantic import AfterValidator


def _namespace(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", value):
        raise ValueError(
            f"{value!r} is no name of a namespace; use up to 63 lower-case letters, digits and "
            "'-', beginning and ending with a letter or digit"
        )
    return value


Namespace = Annotated[str, AfterValidator(_namespace)]
