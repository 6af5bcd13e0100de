"""A program that is told things over HTTP, and that can be told to misbehave."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One call as it came."""

    path: str
    """Path that was called."""
    headers: dict[str, str]
    """Headers, lower-case."""
    body: str
    """Body."""


class Receiver:
    """A loopback HTTP server; `received` holds every call in order, `answers` the statuses of the next ones."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: list[int] = []
        self.answering = threading.Event()
        """Cleared: it takes calls and says nothing."""
        self.drips: str | None = None
        """``headers`` or ``body``: it sends that part byte by byte, without end, until `stop`."""
        self.answering.set()
        self._stopping = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver._take(self)

            def log_message(self, format: str, *args: Any) -> None:
                del format, args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """End the server."""
        self.answering.set()
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def _take(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", "0"))).decode()
        headers = {key.lower(): value for key, value in handler.headers.items()}
        self.received.append(Received(handler.path, headers, body))
        self.answering.wait(20)
        status = self.answers.pop(0) if self.answers else 200
        try:
            handler.send_response(status)
            if status in (301, 302, 307):
                handler.send_header("Location", "http://127.0.0.1:1/elsewhere")
            if self.drips == "headers":
                handler.flush_headers()
                self._drip(handler, b"X-More: ")
            handler.end_headers()
            handler.wfile.write(b"noted")
            if self.drips == "body":
                self._drip(handler, b"")
        except OSError:
            return

    def _drip(self, handler: BaseHTTPRequestHandler, start: bytes) -> None:
        handler.wfile.write(start)
        while not self._stopping.wait(0.02):
            handler.wfile.write(b".")
