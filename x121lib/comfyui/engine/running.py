"""Starting and ending an engine, in a process of its own or in a thread."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from x121lib.comfyui.engine.engine import Engine, EngineOptions
from x121lib.comfyui.engine.errors import EngineError
from x121lib.comfyui.engine.server import make_app

_START_S = 30.0


async def serve(
    engine: Engine,
    host: str,
    port: int,
    ready: Callable[[int, Callable[[], None]], None],
    *,
    signals: bool,
) -> None:
    """Serve until stopped.

    ``ready`` gets the port and a function that stops the engine, which any thread may call. With ``signals``,
    SIGTERM and SIGINT stop it too.
    """
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()

    def stop() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stopping.set)

    for number in (signal.SIGTERM, signal.SIGINT) if signals else ():
        loop.add_signal_handler(number, stopping.set)
    engine.hub.attach(loop)
    runner = web.AppRunner(make_app(engine), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        engine.start(stop)
        ready(int(runner.addresses[0][1]), stop)
        await stopping.wait()
    finally:
        await engine.hub.close()
        await asyncio.to_thread(engine.stop)
        await runner.cleanup()


def write_port(path: Path, port: int) -> None:
    """Write the port file; a reader sees it whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(str(port), encoding="ascii")
    os.replace(part, path)


@dataclass
class RunningEngine:
    """An engine in a thread of this process.

    Attributes:
        url: its address, ``http://127.0.0.1:PORT``.
    """

    url: str
    _stop: Callable[[], None]
    _thread: threading.Thread

    def stop(self) -> None:
        """End it and wait; calling it again does nothing."""
        self._stop()
        self._thread.join()


def start_engine(root: Path, *, port: int = 0, options: EngineOptions | None = None) -> RunningEngine:
    """Start an engine in a thread, on the loopback address; port 0 takes a free one.

    Raises:
        EngineError: it did not start, for example because the port is taken.
    """
    engine = Engine(root, options or EngineOptions())
    started = threading.Event()
    found: list[tuple[int, Callable[[], None]]] = []

    def ready(bound: int, stop: Callable[[], None]) -> None:
        found.append((bound, stop))
        started.set()

    def run() -> None:
        try:
            asyncio.run(serve(engine, "127.0.0.1", port, ready, signals=False))
        finally:
            started.set()

    thread = threading.Thread(target=run, name="engine", daemon=True)
    thread.start()
    if not started.wait(_START_S) or not found:
        raise EngineError("The local engine did not start.", hint=f"Is port {port} taken?")
    return RunningEngine(f"http://127.0.0.1:{found[0][0]}", found[0][1], thread)
