"""How a plugin lives: a gRPC server on loopback that says its port and ends with its engine."""

import os
import signal
import sys
import threading
from collections.abc import Sequence

ADDRESS = "127.0.0.1:0"

OPTIONS: Sequence[tuple[str, int]] = (
    # A resource may be as large as the API server takes it; the default of 4 MB is too small.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
)

_PARENT_CHECK_SECONDS = 1.0


class Lifetime:
    """From the start of a plugin's process to SIGINT, SIGTERM or the end of its engine (which,
    when killed, cannot end its plugins). To be created in the main thread.
    """

    def __init__(self):
        self._engine = os.getppid()
        self._stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stopped.set())

    def serve(self, port: int) -> None:
        """Tell the engine the port, as the first line of output, and wait for the end."""
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        while os.getppid() == self._engine:
            if self._stopped.wait(_PARENT_CHECK_SECONDS):
                return
