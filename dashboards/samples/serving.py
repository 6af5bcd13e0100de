"""Serve an application on a free loopback port in a thread: for tests that need a real door."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI


class _Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Start, then let the waiting thread go on."""
        await super().startup()
        self.listening.set()


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve ``app`` and yield its address, e.g. ``http://127.0.0.1:40123``; the server ends with the block.

    Raises:
        TimeoutError: the server did not start within 20 s.
    """
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1)
    server = _Server(config)
    thread = threading.Thread(target=server.run, name="x121-door", daemon=True)
    thread.start()
    try:
        if not server.listening.wait(20):
            raise TimeoutError("The door did not open within 20 s.")
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
