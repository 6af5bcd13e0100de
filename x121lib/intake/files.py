"""Walking a user's folder and reading its files once, without trusting either."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.terms.vocabulary import VerdictOutcome

MAX_FILE_BYTES = 100_000_000
"""Largest image file that is read."""
MAX_FILES = 50_000
"""Most files that one import looks at; more is almost surely the wrong folder."""


@dataclass(frozen=True)
class Problem:
    """Something wrong with one path of the folder."""

    path: PurePosixPath
    """Path below the imported folder."""
    code: str
    """Stable name, e.g. ``symlink_outside``."""
    reason: str
    """What is wrong."""
    hint: str = ""
    """What to do."""
    outcome: VerdictOutcome = VerdictOutcome.FAIL
    """fail refuses the character that the path belongs to; warn does not."""

    def __str__(self) -> str:
        """Return the problem as one line."""
        return f"{self.path}: {self.reason} {self.hint}".strip()


class UnreadableFileError(InvalidInputError):
    """A file of the folder can not be read; ``code`` says which way."""


def walk(root: Path) -> Iterator[PurePosixPath | Problem]:
    """Yield the relative path of every regular file below ``root``, sorted, or a problem in its place.

    Names that begin with a dot are left out. No symbolic link is followed: one that points out of the folder is a
    failure, one that stays inside a warning, for its target is met at its own place.

    Raises:
        NotFoundError: ``root`` is no folder.
        InvalidInputError: more than `MAX_FILES` files.
    """
    if not root.is_dir():
        raise NotFoundError(f"There is no folder {root}.", hint="Give the folder that holds the characters' folders.")
    for count, found in enumerate(_walk(root.resolve(), PurePosixPath()), start=1):
        if count > MAX_FILES:
            raise InvalidInputError(f"{root} holds more than {MAX_FILES:,} files.", hint="Import its parts one by one.")
        yield found


def _walk(root: Path, relative: PurePosixPath) -> Iterator[PurePosixPath | Problem]:
    try:
        with os.scandir(root / relative) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        reason = f"The folder can not be opened: {error.strerror}."
        yield Problem(relative, "unreadable", reason, "Give yourself the right to read it.")
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = relative / entry.name
        if _undecodable(entry.name):
            shown = PurePosixPath(os.fsencode(path).decode(errors="replace"))
            yield Problem(shown, "bad_name", "The name is no valid UTF-8.", "Rename it.")
        elif entry.is_symlink():
            yield _link(root, path)
        elif entry.is_dir(follow_symlinks=False):
            yield from _walk(root, path)
        elif entry.is_file(follow_symlinks=False):
            yield path
        else:
            yield Problem(path, "not_a_file", "This is neither a file nor a folder.", "Remove it.", VerdictOutcome.WARN)


def _undecodable(name: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in name)


def _link(root: Path, path: PurePosixPath) -> Problem:
    try:
        target = (root / path).resolve(strict=True)
    except (OSError, RuntimeError):
        return Problem(path, "symlink_broken", "This symbolic link leads nowhere.", "Remove it.")
    if not target.is_relative_to(root):
        reason = "This symbolic link points out of the folder and is not followed."
        return Problem(path, "symlink_outside", reason, "Copy the file into the folder.")
    reason = "This symbolic link stays inside the folder; its target is taken at its own place."
    return Problem(path, "symlink_inside", reason, outcome=VerdictOutcome.WARN)


def read_once(path: Path, *, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Return a regular file's bytes; opened without following a link, sized before it is read.

    Raises:
        UnreadableFileError: too large, empty, a link or no regular file by now, or refused by the system.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as stream:
            facts = os.fstat(stream.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise UnreadableFileError("The file changed into something else.", code="intake.not_a_file")
            if facts.st_size > max_bytes:
                reason = f"The file is {facts.st_size:,} bytes; at most {max_bytes:,} are read."
                raise UnreadableFileError(reason, hint="Save it smaller.", code="intake.too_large")
            content = stream.read(max_bytes + 1)
    except OSError as error:
        code = "intake.symlink_outside" if error.errno == errno.ELOOP else "intake.unreadable"
        reason = f"The file can not be read: {error.strerror}."
        raise UnreadableFileError(reason, hint="Give yourself the right to read it.", code=code) from error
    if not content:
        raise UnreadableFileError("The file is empty.", hint="Copy it again.", code="intake.empty")
    if len(content) > max_bytes:
        raise UnreadableFileError("The file grew while it was read.", hint="Import again.", code="intake.too_large")
    return content
