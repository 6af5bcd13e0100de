"""Who is signed in, and the files that they may see: equal in shape to what the web door expects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SessionPerson:
    """Who is signed in."""

    id: str
    """Key of the person."""
    name: str
    """Name as shown."""
    role: str
    """Word of the strongest role, e.g. ``Creator``."""
    session: str
    """Session token that the cookie carries."""


@dataclass(frozen=True)
class MediaFile:
    """A stored file that a person may see."""

    path: Path
    """Where it lies."""
    mime: str
    """Its media type."""
    etag: str
    """Its hash; the file never changes under one key."""
    name: str | None = None
    """File name offered when it is saved; None shows it in the page."""
    content: bytes | None = None
    """The file itself where it lies in no folder; ``path`` says nothing then."""
