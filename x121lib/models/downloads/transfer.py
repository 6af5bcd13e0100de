"""One file over HTTP into a part file that any later run can go on with; nothing else is written."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from x121lib.models.downloads import hops
from x121lib.models.downloads.errors import DownloadError, InterruptedTransferError, UnverifiedError
from x121lib.models.downloads.sources import check_answer

BLOCK_BYTES = 1024 * 1024
MOST_FAILURES = 5
"""Attempts in a row that may bring nothing."""

Progress = Callable[[int, int | None, str], bool]
"""Called often with (bytes received, bytes in all, ETag); False ends the transfer at once."""


class StoppedError(Exception):
    """The transfer was told to end; the part file stays."""


@dataclass(frozen=True)
class Wanted:
    """What is to be fetched."""

    url: str
    """Where it is."""
    part: Path
    """File that grows, in the folder of its later place."""
    n_bytes: int | None
    """Promised length."""
    sha256: str | None
    """Promised hash."""
    etag: str
    """Strong ETag under which the part was begun; empty: none."""
    secret: str | None
    """Name of the secret that a refusal mentions."""
    reserve_bytes: int
    """Free bytes that stay on the disk."""


@dataclass
class _State:
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    done: int = 0
    etag: str = ""
    total: int | None = None


def fetch(
    wanted: Wanted, rules: hops.Rules, token: hops.Token | None, progress: Progress, wait: Callable[[float], bool]
) -> tuple[str, int]:
    """Fetch the file, going on with the part that lies there; returns (SHA-256, bytes) of what was verified.

    Args:
        wanted: the file.
        rules: what requests may do.
        token: sent to its own place only.
        progress: told often; False ends the transfer.
        wait: waits that many seconds before the next attempt; True ends the transfer.

    Raises:
        UnverifiedError: another length or hash than promised; the part is deleted.
        DownloadError: it can not go on; the part stays.
        StoppedError: ``progress`` or ``wait`` said so.
    """
    wanted.part.parent.mkdir(parents=True, exist_ok=True)
    state = _State(etag=wanted.etag, total=wanted.n_bytes)
    with _opened(wanted.part) as file:
        _read_part(file, state, wanted, progress)
        failures = 0
        while True:
            before = state.done
            try:
                if _attempt(file, state, wanted, rules, (token, progress)):
                    break
            except InterruptedTransferError as error:
                failures = 1 if state.done > before else failures + 1
                if failures >= MOST_FAILURES:
                    raise DownloadError(
                        error.message, hint="What was received is kept: 'x121 model resume' goes on from there."
                    ) from error
                if wait(min(30.0, 0.5 * 2.0**failures)):
                    raise StoppedError from error
        file.flush()
        os.fsync(file.fileno())
    return _verified(state, wanted)


@contextlib.contextmanager
def _opened(part: Path) -> Iterator[BinaryIO]:
    try:
        with part.open("a+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise InterruptedTransferError("Another process still writes this download.") from error
            yield file
    except OSError as error:
        raise DownloadError(
            f"{part.parent} can not be written: {error.strerror}.", hint="Make room or check the folder; then resume."
        ) from error


def _read_part(file: BinaryIO, state: _State, wanted: Wanted, progress: Progress) -> None:
    """Take in what an earlier run left, if anything proves in the end that both halves belong together."""
    file.seek(0)
    if not (wanted.sha256 or wanted.etag):
        file.truncate(0)
    while block := file.read(BLOCK_BYTES):
        state.digest.update(block)
        state.done += len(block)
        _told(progress, state)


def _attempt(
    file: BinaryIO, state: _State, wanted: Wanted, rules: hops.Rules, told: tuple[hops.Token | None, Progress]
) -> bool:
    """Ask for what is missing and append it; True when the file is whole."""
    if state.total is not None and state.done >= state.total:
        return True
    headers = {"Range": f"bytes={state.done}-"} if state.done else {}
    if state.done and state.etag:
        headers["If-Range"] = state.etag
    with hops.get(wanted.url, rules, told[0], headers) as answer:
        check_answer(answer, wanted.secret)
        if not _aligned(answer, file, state):
            return state.total is not None and state.done == state.total
        missing = max(0, state.total - state.done) if state.total is not None else BLOCK_BYTES
        check_room(wanted.part.parent, missing, wanted.reserve_bytes)
        for block in answer.response.iter_raw():
            file.write(block)
            file.flush()
            state.digest.update(block)
            state.done += len(block)
            if state.total is not None and state.done > state.total:
                wanted.part.unlink(missing_ok=True)
                raise UnverifiedError(f"The server sent more than the {state.total} bytes that were promised.")
            _told(told[1], state)
    if state.total is not None and state.done < state.total:
        raise InterruptedTransferError(f"The connection ended at byte {state.done} of {state.total}.")
    return True


def _aligned(answer: hops.Answer, file: BinaryIO, state: _State) -> bool:
    """Bring the part in line with what the server is about to send; False where it sends nothing of use."""
    response = answer.response
    etag = response.headers.get("etag", "")
    strong = "" if etag.startswith("W/") else etag
    span = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", response.headers.get("content-range", ""))
    total = int(span[2]) if span and span[2] != "*" else None
    if response.status_code == 416:
        if total is not None and total == state.done and state.total in (None, total):
            state.total = total
            return False
        _begin_anew(file, state)
        raise InterruptedTransferError("The server has no such part of the file.")
    if response.status_code == 206:
        fits = span is not None and span[1] is not None and int(span[1]) == state.done
        if not fits or (state.etag and strong and strong != state.etag):
            _begin_anew(file, state)
            raise InterruptedTransferError("The server sent another part of the file than was asked for.")
    else:
        _begin_anew(file, state)
        length = response.headers.get("content-length", "")
        total = int(length) if length.isascii() and length.isdigit() else None
    if total is not None and state.total is not None and total != state.total:
        raise UnverifiedError(f"The server offers {total} bytes where {state.total} were promised.")
    state.total, state.etag = total if total is not None else state.total, strong
    return True


def _begin_anew(file: BinaryIO, state: _State) -> None:
    file.seek(0)
    file.truncate(0)
    state.digest, state.done, state.etag = hashlib.sha256(), 0, ""


def check_room(folder: Path, n_bytes: int, reserve_bytes: int) -> None:
    """Raise `DownloadError` where a folder's disk has no room for so many bytes beside its reserve."""
    free = max(0, shutil.disk_usage(folder).free - reserve_bytes)
    if n_bytes > free:
        raise DownloadError(
            f"The disk of {folder} has no room for {n_bytes} more bytes: {free} are free beside the reserve.",
            hint="Make room, then try again.",
        )


def _told(progress: Progress, state: _State) -> None:
    if not progress(state.done, state.total, state.etag):
        raise StoppedError


def _verified(state: _State, wanted: Wanted) -> tuple[str, int]:
    found = state.digest.hexdigest()
    if wanted.sha256 is not None and found != wanted.sha256:
        wanted.part.unlink(missing_ok=True)
        raise UnverifiedError(
            f"The file's SHA-256 is {found}, not {wanted.sha256}; it was not kept.",
            hint="Check the hash and the address, then 'x121 model resume' begins anew.",
        )
    return found, state.done


def put_in_place(part: Path, target: Path) -> None:
    """Give a verified part its name at once; an existing file is never replaced.

    Raises:
        DownloadError: something lies there already, or the folder can not be written.
    """
    try:
        os.link(part, target)
        part.unlink()
    except FileExistsError as error:
        raise DownloadError(f"{target} exists already.", hint="Move it away, then 'x121 model resume'.") from error
    except OSError as error:
        raise DownloadError(f"{target} can not be written: {error.strerror}.") from error
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
