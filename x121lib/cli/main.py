"""`x121`: the whole command line."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from x121lib.base.loading import without_collections

MISSING_LIBRARIES = (
    "x121: OpenCV does not load here ({error}). Install the system libraries that it needs: "
    "apt-get install libgl1 libglib2.0-0"
)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(130)


def run() -> None:
    """Entry point of the console script: exit codes 0 done, 1 refused or failed, 2 wrong usage, 130 not begun."""
    signal.signal(signal.SIGINT, _leave)  # loading takes a second or two, in which Ctrl-C shall end without a word
    try:
        with without_collections():
            from x121lib.cli.commands import app  # noqa: PLC0415  (the check below needs the import to happen here)
    except ImportError as error:
        if ".so" not in str(error):
            raise
        sys.stderr.write(MISSING_LIBRARIES.format(error=error) + "\n")
        raise SystemExit(1) from error
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    app()


if __name__ == "__main__":
    run()
