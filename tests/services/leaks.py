"""Passwords that have leaked, as the service that knows them would tell: on this machine, and of few."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Leaks:
    """What has leaked, and what was asked."""

    def __init__(self, port: int) -> None:
        self.settings = {"FREEHOLD_PWNED_URL": f"http://127.0.0.1:{port}"}
        self.digits: set[str] = set()
        self.asked: list[str] = []
        self.is_down = False

    def add(self, password: str) -> None:
        self.digits.add(hashlib.sha1(password.encode()).hexdigest().upper())

    def answer(self, prefix: str) -> str:
        suffixes = [each[5:] for each in self.digits if each.startswith(prefix)]
        return "\r\n".join([f"{'0' * 35}:0", *(f"{each}:3" for each in suffixes)])


@contextmanager
def running_leaks() -> Iterator[Leaks]:
    """Answer while the tests run."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            leaks.asked.append(self.path)
            body = leaks.answer(self.path.rpartition("/")[2]).encode()
            self.send_response(503 if leaks.is_down else 200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    leaks = Leaks(server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield leaks
    finally:
        server.shutdown()
        server.server_close()
