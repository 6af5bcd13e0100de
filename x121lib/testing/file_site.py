"""A site with files that can be told to misbehave; each runs on a port of its own."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Page:
    """What lies under a path, and how the site misbehaves about it."""

    body: bytes = b""
    """The file."""
    status: int = 200
    """Status of an answer without Range."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers beside the usual ones; they win."""
    token: str | None = None
    """Bearer token that is needed."""
    closes_after: list[int] = field(default_factory=list)
    """For each of the first answers: bytes after which the connection is closed."""
    pause_s: float = 0.0
    """Pause between two blocks of 64 KiB."""
    ignores_range: bool = False
    """Whether Range is ignored."""
    refuses_range: int = 0
    """How many requests with Range get 416 without a reason."""


class FileSite:
    """A loopback HTTP server; `asked` holds (path, headers) of every request in order."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                del format, args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()

    def json(self, path: str, body: Any, token: str | None = None) -> None:
        """Put a JSON document under a path."""
        raw = json.dumps(body).encode()
        self.pages[path] = Page(raw, headers={"Content-Type": "application/json"}, token=token)

    def redirect(self, path: str, to: str, **headers: str) -> Page:
        """Put a redirect under a path."""
        extra = {key.replace("_", "-"): value for key, value in headers.items()}
        page = self.pages[path] = Page(status=302, headers={"Location": to, **extra})
        return page

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request as the page says."""
        path = urlsplit(handler.path).path
        given = {key.lower(): value for key, value in handler.headers.items()}
        self.asked.append((path, given))
        page = self.pages.get(path)
        if page is None:
            self._send(handler, 404, b"", {})
        elif page.token is not None and given.get("authorization") != f"Bearer {page.token}":
            self._send(handler, 401, b"", {})
        else:
            self._file(handler, page, given)

    def _file(self, handler: BaseHTTPRequestHandler, page: Page, given: dict[str, str]) -> None:
        etag = page.headers.get("ETag", f'"{hashlib.md5(page.body, usedforsecurity=False).hexdigest()}"')
        wanted = given.get("range", "")
        start, n = 0, len(page.body)
        if wanted and not page.ignores_range and given.get("if-range", etag) == etag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if page.refuses_range > 0 or start >= n:
                page.refuses_range -= 1
                self._send(handler, 416, b"", {"Content-Range": f"bytes */{n if start >= n else '*'}"})
                return
        status = 206 if start else page.status
        span = {"Content-Range": f"bytes {start}-{n - 1}/{n}"} if start else {}
        headers = {"ETag": etag, "Content-Length": str(n - start), **span, **page.headers}
        stop = start + page.closes_after.pop(0) if page.closes_after else n
        self._send(handler, status, page.body[start:stop], headers, page.pause_s)

    def _send(
        self, handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str], pause_s: float = 0.0
    ) -> None:
        handler.send_response(status)
        for key, value in headers.items():
            handler.send_header(key, value)
        handler.end_headers()
        try:
            for at in range(0, len(body), 65536):
                handler.wfile.write(body[at : at + 65536])
                handler.wfile.flush()
                time.sleep(pause_s)
        except OSError:
            return
