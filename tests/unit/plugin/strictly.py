"""What the controllers make of an answer."""

import json
from typing import Any


def strictly(text: str) -> Any:
    """JSON as Go reads it: NaN is not JSON, and Argo takes what is no JSON for a success."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)
