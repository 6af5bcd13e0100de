"""Words and addresses that several pages share."""

from __future__ import annotations

from datetime import datetime, timedelta

from x121lib.terms.vocabulary import SceneStatus, VerdictOutcome

SCENE_STATUS: dict[SceneStatus, str] = {
    SceneStatus.PENDING: "none",
    SceneStatus.GENERATING: "generating",
    SceneStatus.REVIEW: "review",
    SceneStatus.APPROVED: "approved",
    SceneStatus.REJECTED: "rejected",
    SceneStatus.FAILED: "failed",
}
"""The silhouette of each stored status; *pending* and *blocked* are derived in `grid`."""
OUTCOME_STATUS = {
    VerdictOutcome.PASS: "approved", VerdictOutcome.WARN: "warning", VerdictOutcome.FAIL: "failed"
}  # fmt: skip
"""The silhouette of a check's or gate's outcome."""


def iso(moment: datetime) -> str:
    """Return a moment as ISO 8601 with offset, to the second."""
    return moment.isoformat(timespec="seconds")


def iso_in(now: datetime, seconds: float | None) -> str | None:
    """Return the moment so many seconds from now."""
    return None if seconds is None else iso(now + timedelta(seconds=seconds))


def initials(name: str) -> str:
    """Return up to two first letters."""
    return "".join(word[0] for word in name.split()[:2]).upper()


def many(n: int, word: str, plural: str = "") -> str:
    """Return ``1 scene``, ``2 scenes``."""
    return f"{n} {word if n == 1 else plural or word + 's'}"


def full(sha256: str | None) -> str | None:
    """Return the address of a stored file as it is."""
    return f"/media/{sha256}" if sha256 else None


def small(sha256: str | None) -> str | None:
    """Return the address of a picture's small copy: an image's, or a video's first frame."""
    return f"/media/small/{sha256}" if sha256 else None


def strip(sha256: str | None) -> str | None:
    """Return the address of a video's filmstrip, made on first use."""
    return f"/media/strip/{sha256}" if sha256 else None


def day(moment: datetime) -> str:
    """Return ``2 Nov 2026``."""
    return f"{moment.day} {moment:%b %Y}"


def duration(seconds: float) -> str:
    """Return a duration in its two largest units."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
