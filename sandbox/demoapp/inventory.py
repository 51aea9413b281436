"""The demo app's dependency, called once for each request."""

from http import HTTPStatus
from urllib.parse import SplitResult, urlsplit

from sandbox.demoapp.settings import Settings
from sandbox.load.client import CallError, Pool, Target

SECONDS = 2.0
HTTP_PORT = 80


class Inventory:
    """In-cluster names are resolved by the proxy, when there is one, as for every pod."""

    def __init__(self, settings: Settings):
        url = urlsplit(settings.inventory_url)
        self._host = url.netloc
        path = url.path or "/"
        # A proxy is asked for the whole URL, with a path (RFC 9112, section 3.2.2).
        self._path = f"http://{url.netloc}{path}" if settings.proxy else path
        self._pool = Pool(_target(urlsplit(settings.proxy) if settings.proxy else url))

    async def fault(self) -> str:
        """What is wrong with the dependency; empty when it answered."""
        try:
            status = await self._pool.get(self._host, self._path, SECONDS)
        except CallError as error:
            return f"inventory: {error}"
        return f"inventory: HTTP {status}" if status >= HTTPStatus.BAD_REQUEST else ""

    def close(self) -> None:
        self._pool.close()


def _target(url: SplitResult) -> Target:
    return Target(url.hostname or "", url.port or HTTP_PORT)
