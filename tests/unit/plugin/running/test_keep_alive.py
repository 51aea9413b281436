"""A controller may ask again on the connection of its last question, whenever that was."""

import http.client
import time
from typing import Any
from urllib.parse import urlsplit


def test_a_connection_is_not_closed_between_two_looks(start: Any) -> None:
    url, process = start()
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    for wait in (0, 6):  # seconds; of itself the server would give up after five
        time.sleep(wait)
        connection.request("GET", "/healthz")
        assert connection.getresponse().read()
    connection.close()
    process.terminate()
    process.wait()
