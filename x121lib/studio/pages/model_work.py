"""Long work on the library of models in the background of the web door: one piece at a time, seen and stopped."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from x121lib.base.errors import RefusedError, X121Error
from x121lib.base.log import get_logger
from x121lib.models.service import ScanReport
from x121lib.studio.core import Studio
from x121lib.studio.pages.words import many
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import ModelStatus

_log = get_logger(__name__)
TELL_S = 0.5
"""Seconds between two notices of progress at least."""


class _StoppedError(Exception):
    """Somebody stopped the work; never leaves this module."""


@dataclass
class Progress:
    """How the work stands."""

    what: str
    """``scan`` or ``verify``."""
    by: str
    """Who started it."""
    done: int = 0
    """Files done."""
    total: int = 0
    """Files to do; 0 while they are counted."""
    status: str = "running"
    """``running``, ``done``, ``stopped`` or ``failed``."""
    text: str = ""
    """What came of it, in a sentence."""


class ModelWork:
    """Scans and verifies in a thread of this process."""

    def __init__(self, told: Callable[[], None]) -> None:
        self._told = told
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._progress: Progress | None = None
        self._next_notice = 0.0

    def view(self) -> dict[str, Any] | None:
        """Return how the newest work stands; None where there was none."""
        with self._lock:
            return None if self._progress is None else dict(self._progress.__dict__)

    def start(self, studio: Studio, what: str, folder: Path | None = None) -> None:
        """Begin to scan a folder, or to verify everything.

        Raises:
            RefusedError: other work goes on.
            ForbiddenError: the actor may not.
        """
        studio.actor.require(Permission.MANAGE_RECIPES)
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                raise RefusedError("The library is being read already.", hint="Wait for it, or stop it.")
            self._stop.clear()
            self._progress = Progress(what, studio.actor.name)
            self._thread = threading.Thread(target=self._run, args=(studio, what, folder), name=f"x121-models-{what}")
            self._thread.daemon = True
            self._thread.start()
        self._told()

    def stop(self) -> None:
        """Stop after the file that is being read; nothing of it is stored."""
        self._stop.set()

    def wait(self, timeout_s: float = 60.0) -> None:
        """Wait until the work is done."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def _run(self, studio: Studio, what: str, folder: Path | None) -> None:
        try:
            text = (
                _scanned(studio.models.scan(folder, self._note))
                if what == "scan"
                else _verified([status for _, status in studio.models.verify(progress=self._note)])
            )
            self._end("done", text)
        except _StoppedError:
            self._end("stopped", "Stopped. Nothing of it was stored; what was known before is unchanged.")
        except X121Error as error:
            _log.warning("the library of models could not be read: %s", error)
            self._end("failed", f"{error.message} {error.hint}".strip())
        except OSError as error:
            _log.warning("the library of models could not be read: %s", error)
            self._end("failed", f"A file could not be read: {error.strerror} ({error.filename}).")

    def _note(self, done: int, total: int) -> None:
        if self._stop.is_set():
            raise _StoppedError
        with self._lock:
            if self._progress is not None:
                self._progress.done, self._progress.total = done, total
        if time.monotonic() >= self._next_notice:
            self._next_notice = time.monotonic() + TELL_S
            self._told()

    def _end(self, status: str, text: str) -> None:
        with self._lock:
            if self._progress is not None:
                self._progress.status, self._progress.text = status, text
        self._told()


def _scanned(report: ScanReport) -> str:
    parts = [
        f"{len(names)} {word}"
        for names, word in ((report.added, "new"), (report.updated, "changed"), (report.missing, "missing"))
        if names
    ]
    return f"{many(report.n_files, 'file')} found, {report.n_hashed} read: {', '.join(parts) or 'nothing changed'}."


def _verified(found: list[ModelStatus]) -> str:
    counts = Counter(found)
    bad = [f"{counts[s]} {s.value}" for s in (ModelStatus.MISSING, ModelStatus.ALTERED) if counts[s]]
    return f"{many(len(found), 'file')} verified: {', '.join(bad) or 'all are as they were'}."
