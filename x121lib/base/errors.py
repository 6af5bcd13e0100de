"""The base of every error that X121 raises on purpose."""

from __future__ import annotations


class X121Error(Exception):
    """An error with a stable code, a message for a person and a word on retrying.

    Attributes:
        code: stable, lowercase, dotted by room, e.g. ``store.no_embedded_build``.
        message: what happened and what is safe.
        hint: what to do next; empty only where nothing can be done.
        retryable: whether the same call may succeed later without any change.
    """

    code: str = "x121.error"
    retryable: bool = False

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class NotFoundError(X121Error):
    """A named thing does not exist (or the actor may not know that it does)."""

    code = "x121.not_found"


class ConflictError(X121Error):
    """Somebody else changed the thing first, or the name is taken."""

    code = "x121.conflict"


class InvalidInputError(X121Error):
    """Input that breaks a rule; the message names the file, field or row."""

    code = "x121.invalid_input"


class RefusedError(X121Error):
    """The operation is understood and not allowed now; nothing was changed."""

    code = "x121.refused"


class ForbiddenError(X121Error):
    """The actor lacks the permission."""

    code = "access.forbidden"
