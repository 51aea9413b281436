"""Pod addresses: 10.244.x.y with x and y in 1 to 254."""

import ipaddress

from sandbox.network import POD_NETWORK


class Addresses:
    """Hands out free pod addresses in turn, so that a freed one rests before its next use:
    a proxy may still hold a connection to it.
    """

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._last = -1

    def reserve(self, address: str) -> None:
        """Mark an address that a pod already has (after a restart of the node)."""
        self._used.add(address)
        self._last = max(self._last, _number(address))

    def take(self) -> str:
        """A free address. Raises RuntimeError when 64516 pods run."""
        for step in range(1, 254 * 254 + 1):
            number = (self._last + step) % (254 * 254)
            if (address := _address(number)) not in self._used:
                self._used.add(address)
                self._last = number
                return address
        raise RuntimeError("every pod address of the sandbox is in use")

    def free(self, address: str) -> None:
        self._used.discard(address)


def _address(number: int) -> str:
    third, fourth = divmod(number, 254)
    return str(POD_NETWORK.network_address + ((third + 1) << 8) + fourth + 1)


def _number(address: str) -> int:
    offset = int(ipaddress.ip_address(address)) - int(POD_NETWORK.network_address)
    third, fourth = divmod(offset, 256)
    return (third - 1) * 254 + fourth - 1
