"""Locks on files (`flock`): the kernel drops them when a process dies, however it dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from x121lib.store.errors import ServerBusyError

_POLL_S = 0.005
_open: set[int] = set()


def _close_in_child() -> None:
    """A forked child must not keep its parent's locks alive (closing a copy does not unlock)."""
    for descriptor in _open:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    _open.clear()


os.register_at_fork(after_in_child=_close_in_child)


def open_lock(path: Path, *, create: bool = True) -> int:
    """Open (and create, mode 0600) a lock file; its descriptor is closed in forked and executed children.

    Raises:
        FileNotFoundError: it does not exist, and ``create`` is false.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)
    _open.add(descriptor)
    return descriptor


def close_lock(descriptor: int) -> None:
    """Close a lock file, which drops its lock."""
    if descriptor in _open:
        _open.discard(descriptor)
        os.close(descriptor)


def try_exclusive(descriptor: int) -> bool:
    """Take the lock alone if nobody else holds it; a shared lock of one's own is lost when that fails."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def take_shared(descriptor: int) -> None:
    """Take the lock together with others; waits for one who holds it alone."""
    fcntl.flock(descriptor, fcntl.LOCK_SH)


def wait_alone(path: Path) -> None:
    """Return when nobody holds the lock ``path`` any more; the lock is not kept."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    finally:
        close_lock(descriptor)


def _is_current(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def exclusive(path: Path, *, timeout_s: float = 150.0) -> Iterator[None]:
    """Hold the lock ``path`` alone.

    Raises:
        ServerBusyError: another process held it for more than ``timeout_s`` seconds.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = open_lock(path)
        try:
            while not try_exclusive(descriptor):
                if time.monotonic() > deadline:
                    raise ServerBusyError(
                        f"Another process has been starting or stopping the database for {timeout_s:.0f} s.",
                        hint=f"Find it with: fuser {path}",
                    )
                time.sleep(_POLL_S)
            if _is_current(descriptor, path):  # else it was deleted while we waited: a lock that nobody sees
                yield
                return
        finally:
            close_lock(descriptor)


def holders(path: Path) -> tuple[int, ...]:
    """Return the process ids that hold the lock ``path`` (Linux; empty elsewhere)."""
    try:
        inode = path.stat().st_ino
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return ()
    fields = [line.replace("->", "").split() for line in lines]
    found = {int(f[4]) for f in fields if len(f) > 5 and f[1] == "FLOCK" and f[5].rpartition(":")[2] == str(inode)}
    return tuple(sorted(found))
