"""The engine without its doors: folders, queue, cache, executor and the one worker thread."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2

from x121lib.base.log import get_logger
from x121lib.comfyui.engine.cache import DEFAULT_BUDGET_BYTES, ResultCache
from x121lib.comfyui.engine.execution import Executor
from x121lib.comfyui.engine.folders import Folders
from x121lib.comfyui.engine.hub import Hub
from x121lib.comfyui.engine.queueing import PromptQueue

_log = get_logger(__name__)
VERSION = "0.26.0+x121"
"""The ComfyUI release whose behaviour the engine follows."""

_JOIN_S = 5.0


@dataclass(frozen=True)
class EngineOptions:
    """An engine's settings.

    Attributes:
        cache_bytes: memory that results of earlier prompts may take, beside what runs.
        upload_bytes: the largest request body.
    """

    cache_bytes: int = DEFAULT_BUDGET_BYTES
    upload_bytes: int = 100 * 1024 * 1024


class Engine:
    """Queue and worker. `start` begins work; `stop` interrupts what runs and waits for it."""

    def __init__(self, root: Path, options: EngineOptions) -> None:
        self.options = options
        self.folders = Folders(root)
        self.features = {
            "supports_preview_metadata": True,
            "max_upload_size": options.upload_bytes,
        }
        self.hub = Hub(self.features)
        self.cache = ResultCache(options.cache_bytes)
        self.queue = PromptQueue(self._queue_changed)
        self.executor = Executor(self.folders, self.cache, self.hub)
        self._clear_cache = threading.Event()
        self._ended: Callable[[], None] = lambda: None
        self._worker = threading.Thread(target=self._work, name="engine-worker", daemon=True)

    def start(self, on_worker_end: Callable[[], None]) -> None:
        """Start the worker; ``on_worker_end`` is called from it when it ends, wanted or not."""
        self._ended = on_worker_end
        self._worker.start()

    def stop(self) -> None:
        """End the worker: the running prompt is interrupted, pending ones are dropped."""
        self.queue.close()
        self.executor.interrupted.set()
        self._worker.join(_JOIN_S)

    def status(self) -> dict[str, object]:
        """Return the data of a ``status`` event."""
        return {"status": {"exec_info": {"queue_remaining": self.queue.remaining()}}}

    def interrupt(self, prompt_id: str | None) -> None:
        """Interrupt the running prompt; with an id only if that one runs."""
        if prompt_id is None or prompt_id == self.queue.running_id():
            self.executor.interrupted.set()

    def cancel(self, prompt_id: str) -> bool:
        """Take a pending prompt out, or interrupt it if it runs; false where neither was there to be done."""
        if self.queue.delete(prompt_id):
            return True
        if prompt_id != self.queue.running_id():
            return False
        self.executor.interrupted.set()
        return True

    def free(self) -> None:
        """Drop kept results before the next prompt."""
        self._clear_cache.set()

    def _queue_changed(self) -> None:
        self.hub.send("status", self.status(), None)

    def _work(self) -> None:
        cv2.setNumThreads(1)
        try:
            while (item := self.queue.take()) is not None:
                if self._clear_cache.is_set():
                    self._clear_cache.clear()
                    self.cache.clear()
                outcome = self.executor.execute(item)
                self.queue.done(outcome.entry(item))
                if item.client_id is not None:
                    end = {"node": None, "prompt_id": item.prompt_id}
                    self.hub.send("executing", end, item.client_id)
                del item, outcome
                _return_memory()
        finally:
            # A dead worker behind an open door would leave prompts waiting for ever: the whole engine ends.
            self._ended()


def _return_memory() -> None:
    """Give freed memory back to the system (glibc only): an idle engine should be small."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "malloc_trim"):
            libc.malloc_trim(0)
