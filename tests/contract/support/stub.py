"""A web server in the judge's place that answers what the judge never would."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, bytes]


class Stub(ThreadingHTTPServer):
    """Answers each path with what `answers` has for it; the lists' last answer is repeated."""

    daemon_threads = True

    def __init__(self, answers: dict[str, list[Answer]]):
        self._answers = answers
        self._asked: Counter[str] = Counter()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path: str) -> Answer:
        answers = self._answers[path]
        self._asked[path] += 1
        return answers[min(self._asked[path], len(answers)) - 1]


@contextmanager
def serving(answers: dict[str, list[Answer]]) -> Iterator[Stub]:
    with Stub(answers) as stub:
        threading.Thread(target=stub.serve_forever, args=(0.05,), daemon=True).start()
        yield stub
        stub.shutdown()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Stub)
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body = self.server.answer(self.path)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests need no access log."""
