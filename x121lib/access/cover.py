"""The likeness gate as a pure decision: do these releases cover that use of this performer? No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from x121lib.terms.vocabulary import PerformerKind, ReleasePurpose

NORMAL_TRANSITION = "normal"
"""The transition mode that stays with one variant kind; a release never has to name it."""


class Missing(StrEnum):
    """What stands between a real performer and a use; ordered from the first thing that is asked."""

    ADULT_VERIFICATION = "adult_verification"
    RELEASE = "release"
    REVOKED = "revoked"
    NOT_YET_VALID = "not_yet_valid"
    ENDED = "ended"
    PURPOSE = "purpose"
    PROJECT = "project"
    VARIANT_KIND = "variant_kind"
    TRANSITION_MODE = "transition_mode"


@dataclass(frozen=True)
class PerformerFacts:
    """What the decision needs to know of a performer."""

    name: str
    """Working name, as people read it."""
    kind: PerformerKind
    """Synthetic or real."""
    adult_verified_at: datetime | None = None
    """When somebody recorded having seen proof of age; None when nobody has."""


@dataclass(frozen=True)
class ReleaseFacts:
    """What the decision needs to know of a release; None in a scope means *all*."""

    valid_from: datetime
    """First moment at which it holds."""
    valid_until: datetime | None
    """First moment at which it no longer holds; None = open-ended."""
    revoked_at: datetime | None
    """When it was revoked; a revoked release covers nothing, whenever one asks."""
    purposes: frozenset[ReleasePurpose]
    """What it permits."""
    projects: frozenset[str] | None
    """Names of the projects that it covers."""
    variant_kinds: frozenset[str] | None
    """Names of the variant kinds that it covers."""
    transition_modes: frozenset[str]
    """Names of the transition modes that it covers, beside normal."""


@dataclass(frozen=True)
class CoverQuestion:
    """One use of a likeness."""

    variant_kinds: tuple[str, ...]
    """Every variant kind that the use shows: one, or for a transition also those it moves between."""
    transition_mode: str | None
    """Transition mode; None is normal."""
    project: str
    """Name of the project."""
    purpose: ReleasePurpose
    """What for."""
    at: datetime
    """Moment of the use."""


@dataclass(frozen=True)
class Cover:
    """The answer."""

    ok: bool
    """Whether the use is covered."""
    reason: str = ""
    """What is missing, in words; empty when covered."""
    missing: Missing | None = None
    """What is missing, as a value."""


COVERED = Cover(ok=True)


def cover(performer: PerformerFacts, releases: Sequence[ReleaseFacts], ask: CoverQuestion) -> Cover:
    """Return whether ``ask`` is covered, and if not, what exactly is missing.

    A synthetic performer is always covered. A real one needs a recorded adult verification and *one* release
    that covers all of the question: two half-fitting releases do not add up to consent. Where several
    releases fall short, the reason speaks of the ones that came closest.
    """
    if performer.kind is PerformerKind.SYNTHETIC:
        return COVERED
    if performer.adult_verified_at is None:
        return Cover(
            ok=False,
            reason=f"That '{performer.name}' is an adult has not been verified.",
            missing=Missing.ADULT_VERIFICATION,
        )
    gaps = [_first_gap(release, ask) for release in releases]
    if None in gaps:
        return COVERED
    order = list(Missing)
    closest = max((gap for gap in gaps if gap is not None), key=order.index, default=Missing.RELEASE)
    near = [release for release, gap in zip(releases, gaps, strict=True) if gap is closest]
    return Cover(ok=False, reason=_reason(performer.name, closest, near, ask), missing=closest)


def _first_gap(release: ReleaseFacts, ask: CoverQuestion) -> Missing | None:
    mode = ask.transition_mode
    checks = (
        (Missing.REVOKED, release.revoked_at is None),
        (Missing.NOT_YET_VALID, release.valid_from <= ask.at),
        (Missing.ENDED, release.valid_until is None or ask.at < release.valid_until),
        (Missing.PURPOSE, ask.purpose in release.purposes),
        (Missing.PROJECT, release.projects is None or ask.project in release.projects),
        (Missing.VARIANT_KIND, not _uncovered_kinds(release, ask)),
        (Missing.TRANSITION_MODE, mode in (None, NORMAL_TRANSITION) or mode in release.transition_modes),
    )
    return next((gap for gap, holds in checks if not holds), None)


def _uncovered_kinds(release: ReleaseFacts, ask: CoverQuestion) -> list[str]:
    if release.variant_kinds is None:
        return []
    return [kind for kind in ask.variant_kinds if kind not in release.variant_kinds]


def _reason(name: str, gap: Missing, near: Sequence[ReleaseFacts], ask: CoverQuestion) -> str:
    if gap is Missing.RELEASE:
        return f"No likeness release of '{name}' is recorded."
    if gap is Missing.REVOKED:
        return f"The release of '{name}' was revoked on {_day(max(_known(r.revoked_at for r in near)))}."
    if gap is Missing.NOT_YET_VALID:
        return f"The release of '{name}' begins on {_day(min(r.valid_from for r in near))}."
    if gap is Missing.ENDED:
        return f"The release of '{name}' ended on {_day(max(_known(r.valid_until for r in near)))}."
    return f"No release of '{name}' covers {_scope(gap, near, ask)}."


def _scope(gap: Missing, near: Sequence[ReleaseFacts], ask: CoverQuestion) -> str:
    if gap is Missing.PURPOSE:
        return f"the purpose '{ask.purpose.value}'"
    if gap is Missing.PROJECT:
        return f"the project '{ask.project}'"
    if gap is Missing.TRANSITION_MODE:
        return f"transition mode '{ask.transition_mode}'"
    kinds = min((_uncovered_kinds(release, ask) for release in near), key=len)
    return " and ".join(f"variant kind '{kind}'" for kind in kinds)


def _known(moments: Iterable[datetime | None]) -> list[datetime]:
    return [moment for moment in moments if moment is not None]


def _day(moment: datetime) -> str:
    local = moment.astimezone(UTC)
    return f"{local.day} {local:%B %Y}"
