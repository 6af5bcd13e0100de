"""All of a process's connections to its ComfyUI servers: one loop in a thread, one client for each server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from x121lib.comfyui.client import ClientOptions, ComfyClient

T = TypeVar("T")
_IDLE_S = 30.0
"""How long a server's connections stay open after the last prompt on it: the next take finds them warm."""
_START_S = 30.0
_OPTIONS = ClientOptions(check_files=False)
"""`render`, which works with these clients, fetches its one file at once."""


@dataclass
class _Shared:
    """A server's client.

    Attributes:
        client: opens its connections when they are needed.
        users: how many calls work with it now.
        closing: the timer that closes it, while nobody does.
    """

    client: ComfyClient
    users: int = 0
    closing: asyncio.TimerHandle | None = None


class Bridge:
    """Runs coroutines with a server's client for any number of threads; its own thread starts with the first call.

    Prompts of several threads on one server share that server's HTTP connections and its one WebSocket.
    """

    def __init__(self, *, idle_s: float = _IDLE_S) -> None:
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._clients: dict[str, _Shared] = {}
        self._work: set[asyncio.Task[Any]] = set()
        self._closures: set[asyncio.Task[None]] = set()

    def run(self, url: str, work: Callable[[ComfyClient], Coroutine[Any, Any, T]]) -> T:
        """Run ``work`` with the client of a server and wait for its end. Not for the bridge's own thread.

        ``work`` must not block: other prompts' events wait meanwhile. Where the wait is interrupted (Ctrl-C), the
        work is cancelled; prompts on the server go on.
        """
        loop = self._started()
        future: Future[T] = asyncio.run_coroutine_threadsafe(self._lent(url.rstrip("/"), work), loop)
        try:
            return future.result()
        finally:
            future.cancel()

    def close(self) -> None:
        """Close every connection and end the thread; work that still runs is cancelled. A later call starts anew."""
        with self._lock:
            thread, loop, ended = self._thread, self._loop, self._ended
            self._thread = self._loop = self._ended = None
        if thread is not None and loop is not None and ended is not None:
            loop.call_soon_threadsafe(ended.set)
            thread.join()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                ready = threading.Event()
                self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), name="comfyui-bridge",
                                                daemon=True)  # fmt: skip
                self._thread.start()
                if not ready.wait(_START_S):
                    raise RuntimeError("the thread of the ComfyUI bridge did not start")
            assert self._loop is not None
            return self._loop

    async def _serve(self, ready: threading.Event) -> None:
        ended = asyncio.Event()
        self._loop, self._ended = asyncio.get_running_loop(), ended
        ready.set()
        await ended.wait()
        for task in (left := list(self._work)):
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        closures = [*self._closures, *(asyncio.ensure_future(_closed(shared)) for shared in self._clients.values())]
        self._clients.clear()
        await asyncio.gather(*closures, return_exceptions=True)

    async def _lent(self, url: str, work: Callable[[ComfyClient], Coroutine[Any, Any, T]]) -> T:
        task = asyncio.current_task()
        assert task is not None
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        shared = self._clients.get(url)
        if shared is None:
            shared = self._clients[url] = _Shared(ComfyClient(url, options=_OPTIONS))
        shared.users += 1
        if shared.closing is not None:
            shared.closing.cancel()
            shared.closing = None
        try:
            return await work(shared.client)
        finally:
            shared.users -= 1
            if not shared.users:
                loop = asyncio.get_running_loop()
                shared.closing = loop.call_later(self._idle_s, self._close_later, url)

    def _close_later(self, url: str) -> None:
        # In this very step, so that a call that comes while the old connections close gets a client of its own.
        task = asyncio.create_task(_closed(self._clients.pop(url)))
        self._closures.add(task)
        task.add_done_callback(self._closures.discard)


async def _closed(shared: _Shared) -> None:
    if shared.closing is not None:
        shared.closing.cancel()
    await shared.client.__aexit__(None, None, None)
