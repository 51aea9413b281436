"""Kubernetes' amounts of memory, as numbers."""

import math
import re
from decimal import Decimal

_SUFFIXES = {
    **{"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1)},
    **{name: Decimal(1000) ** power for power, name in enumerate("kMGTPE", start=1)},
    **{f"{name}i": Decimal(1024) ** power for power, name in enumerate("KMGTPE", start=1)},
}
# `E` before digits is an exponent, alone it is exa.
_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)")


def whole(text: str) -> int:
    """A resource.Quantity of the Kubernetes API ("192Mi", "1e9", "128974848000m"), rounded up
    to whole units. Raises ValueError for what the API server would not have stored either.
    """
    match = _QUANTITY.fullmatch(text)
    if not match or match[2] not in _SUFFIXES:
        raise ValueError(f"{text!r} is no Kubernetes quantity, such as 192Mi or 1e9")
    return math.ceil(Decimal(match[1]) * _SUFFIXES[match[2]])
