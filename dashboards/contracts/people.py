"""Who is signed in, the files they may see, and how they sign in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class SessionPerson:
    """Who is signed in.

    Attributes:
        id: id of the person.
        name: name as shown.
        role: word of the role as shown, e.g. ``Creator``.
        session: the session token that the cookie carries; what ``sign_out`` ends.
    """

    id: str
    name: str
    role: str
    session: str


@dataclass(frozen=True)
class MediaFile:
    """A stored file that a person may see.

    Attributes:
        path: where it lies.
        mime: its media type.
        etag: its hash; the file never changes under one key.
        name: file name offered when it is saved; ``None`` shows it in the page.
        content: the file itself where it lies in no folder; ``path`` says nothing then.
    """

    path: Path
    mime: str
    etag: str
    name: str | None = None
    content: bytes | None = None


class Authenticator(Protocol):
    """Signs people in. Every method is safe to call from any thread; none raises for a wrong secret."""

    def sign_in(self, email: str, password: str, source: str = "") -> SessionPerson | None:
        """Return the person with a new session, or ``None`` (same answer and same time for unknown people).

        ``source`` is the client's address: failures count per address, so that a stranger shuts nobody out.
        """

    def redeem_once(self, token: str) -> SessionPerson | None:
        """Return the person whose one-time link this is and spend it; ``None`` for a spent or unknown one."""

    def person_for(self, session: str) -> SessionPerson | None:
        """Return who a session token belongs to, or ``None`` once it ended or expired."""

    def sign_out(self, session: str) -> None:
        """End that session; nothing happens when it is unknown."""
