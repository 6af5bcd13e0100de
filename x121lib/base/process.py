"""Child processes that end with their parent, a killed parent included."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PARENT_ENV = "X121_PARENT_PID"


def die_with_parent() -> None:
    """End this process when its parent ends; call it first thing in a child.

    Linux: ``prctl(PR_SET_PDEATHSIG, SIGTERM)``. Elsewhere, and against the race with a parent that is
    gone already, a daemon thread watches the parent's id.
    """
    parent = int(os.environ.get(_PARENT_ENV, "0"))
    if not parent:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
    elif sys.platform != "linux":
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def is_alive(pid: int) -> bool:
    """Return whether a process of this machine has the id ``pid``; no process has an id below 1."""
    if pid < 1:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def spawn(
    arguments: Sequence[str], *, env: Mapping[str, str] | None = None, log: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a Python child (``python -m …`` arguments) that ends with this process.

    The child runs in its own session, so a Ctrl-C on the terminal reaches only the parent, which ends its
    children in order. Its output goes to ``log``. The child must call `die_with_parent` first.
    """
    child_env = {**os.environ, **(env or {}), _PARENT_ENV: str(os.getpid())}
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
    with open(log if log is not None else os.devnull, "ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env=child_env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def stop(child: subprocess.Popen[bytes], *, grace_s: float = 8.0) -> None:
    """Ask a child to end (SIGTERM), and kill it after ``grace_s`` seconds."""
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(timeout=grace_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
