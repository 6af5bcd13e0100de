"""The newest lines of the engine's log, as ``/internal/logs`` gives them."""

from __future__ import annotations

import logging
from collections import deque

KEPT = 300
"""Lines that are kept, as in ComfyUI."""


class RecentLog(logging.Handler):
    """Keeps the newest records of the engine as lines: time, dash, message.

    Attributes:
        lines: oldest first, each with its line end.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: deque[str] = deque(maxlen=KEPT)
        self.setFormatter(logging.Formatter("%(asctime)s - %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.lines.append(self.format(record) + "\n")


RECENT_LOG = RecentLog()
"""The process's own: an engine has a process to itself."""


def keep_log() -> None:
    """Begin to keep what the engine logs from INFO on; a second call changes nothing."""
    logger = logging.getLogger("x121lib.comfyui.engine")
    if RECENT_LOG not in logger.handlers:
        logger.addHandler(RECENT_LOG)
    if logger.getEffectiveLevel() > logging.INFO:
        logger.setLevel(logging.INFO)
