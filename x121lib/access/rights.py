"""Performers, their likeness releases, and the gate that asks them before anything is made or handed out."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.access import queries, rules
from x121lib.access.cover import NORMAL_TRANSITION, Cover, CoverQuestion, ReleaseFacts, cover
from x121lib.access.performers import (
    LegalName,
    add_performer,
    ensure_synthetic_performer,
    find_performer,
    list_performers,
    read_legal_name,
    verify_adult,
)
from x121lib.access.queries import CastRow, ReleaseRow
from x121lib.base.clock import system_now, type_now
from x121lib.base.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError
from x121lib.base.ids import new_id
from x121lib.events import outbox
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import EventKind, PerformerKind, ReleasePurpose

__all__ = [
    "LegalName", "ReleaseMissingError", "ReleaseTerms", "Use", "add_performer", "add_release",
    "ensure_synthetic_performer", "find_performer", "list_performers", "list_releases", "read_legal_name",
    "require_cover", "require_cover_of", "revoke_release", "uncovered", "verify_adult",
]  # fmt: skip


class ReleaseMissingError(RefusedError):
    """No release covers this use of a real performer's likeness; the message says what is missing."""

    code = "rights.no_cover"


@dataclass(frozen=True)
class ReleaseTerms:
    """What a signed release says."""

    valid_from: datetime
    """First moment at which it holds."""
    valid_until: datetime | None
    """First moment at which it no longer holds; None = open-ended."""
    purposes: frozenset[ReleasePurpose]
    """What it permits; never empty."""
    variant_kinds: frozenset[str] | None = None
    """Names of the variant kinds covered; None = all."""
    transition_modes: frozenset[str] = frozenset()
    """Names of the transition modes covered; normal always is."""
    projects: frozenset[uuid.UUID] | None = None
    """Projects covered; None = all."""


@dataclass(frozen=True)
class Use:
    """One use of a character's likeness."""

    character_id: uuid.UUID
    """Character shown."""
    variant_kind_id: uuid.UUID
    """Variant kind shown."""
    project_id: uuid.UUID
    """Project that it is for."""
    purpose: ReleasePurpose
    """What for."""
    transition_mode_id: uuid.UUID | None = None
    """Transition mode; None = normal. The kinds that it moves between must be covered too."""


def add_release(
    session: Session, actor: Actor, *, performer_id: uuid.UUID, document_artifact_id: uuid.UUID, terms: ReleaseTerms
) -> uuid.UUID:
    """Record a signed release and return its key; writes the audit entry and `release.added`.

    Raises:
        ForbiddenError: the actor may not manage rights.
        InvalidInputError: the performer is synthetic, the validity is empty, or a name or document is unknown.
        ReleaseMissingError: nobody has verified that the performer is an adult.
    """
    actor.require(Permission.MANAGE_RIGHTS)
    performer = queries.get_performer(session, performer_id, lock=True)
    _check_performer(performer)
    _check_terms(session, terms, document_artifact_id)
    release = m.LikenessRelease(
        id=new_id(), performer_id=performer_id, document_artifact_id=document_artifact_id,
        valid_from=terms.valid_from, valid_until=terms.valid_until, created_by_id=actor.person_id,
        covers_all_variant_kinds=terms.variant_kinds is None, covers_all_projects=terms.projects is None,
    )  # fmt: skip
    session.add(release)
    session.flush()
    _write_scope(session, release.id, terms)
    facts = {
        "performer_id": performer_id, "document_artifact_id": document_artifact_id,
        "valid_from": terms.valid_from, "valid_until": terms.valid_until, "purposes": sorted(terms.purposes),
        "variant_kinds": _listed(terms.variant_kinds), "transition_modes": sorted(terms.transition_modes),
        "projects": _listed(terms.projects),
    }  # fmt: skip
    audit.record(session, actor, "release.added", ("likeness_release", release.id), after=facts)
    _publish(session, EventKind.RELEASE_ADDED, release)
    return release.id


def revoke_release(
    session: Session, actor: Actor, release_id: uuid.UUID, reason: str, *, now: type_now = system_now
) -> None:
    """Revoke a release for good; writes the audit entry and `release.revoked`.

    Only the right changes here. Whoever reads the event cancels queued work, and every claim, download and
    delivery asks the gate again, so that nothing new starts from the commit on.

    Raises:
        ForbiddenError: the actor may not manage rights.
        InvalidInputError: no reason is given.
        ConflictError: it was revoked before.
    """
    actor.require(Permission.MANAGE_RIGHTS)
    if not reason.strip():
        raise InvalidInputError("Say why the release is revoked.")
    release = queries.get_release(session, release_id)
    if release.revoked_at is not None:
        raise ConflictError("This release was already revoked.")
    release.revoked_at, release.revoked_by_id = now(), actor.person_id
    release.revocation_reason = reason.strip()
    session.flush()
    facts = {"performer_id": release.performer_id, "reason": release.revocation_reason}
    audit.record(session, actor, "release.revoked", ("likeness_release", release_id), after=facts)
    _publish(session, EventKind.RELEASE_REVOKED, release)


def list_releases(session: Session, actor: Actor, performer_id: uuid.UUID | None = None) -> list[ReleaseRow]:
    """Return releases, oldest first: of one performer, or all."""
    actor.require(Permission.VIEW)
    return queries.list_releases(session, None if performer_id is None else [performer_id])


def require_cover(
    session: Session,
    *,
    character_id: uuid.UUID,
    variant_kind_ids: Collection[uuid.UUID],
    purpose: ReleasePurpose,
    project_id: uuid.UUID,
    at: datetime,
) -> None:
    """Raise `ReleaseMissingError` unless the use of each of these variant kinds of a character is covered."""
    uses = [Use(character_id, kind, project_id, purpose) for kind in variant_kind_ids]
    require_cover_of(session, uses, at)


def require_cover_of(session: Session, uses: Collection[Use], at: datetime) -> None:
    """Raise `ReleaseMissingError`, naming what is missing, unless every use is covered at ``at``."""
    gaps = uncovered(session, uses, at)
    if not gaps:
        return
    reasons = list(dict.fromkeys(gap.reason for gap in gaps.values()))
    more = f" And {len(reasons) - 3} more." if len(reasons) > 3 else ""
    raise ReleaseMissingError(
        " ".join(reasons[:3]) + more, hint="Nothing was changed. 'x121 release add' records a release."
    )


def uncovered(session: Session, uses: Collection[Use], at: datetime) -> dict[Use, Cover]:
    """Return the uses that are not covered, each with what is missing. Nine statements for any number of uses.

    Raises:
        NotFoundError: a character, project, variant kind or transition mode of a use does not exist.
    """
    if not uses:
        return {}
    cast = queries.cast_of(session, {use.character_id for use in uses})
    words = _words(session, uses)
    real = {row.performer_id for row in cast.values() if row.performer.kind is not PerformerKind.SYNTHETIC}
    releases: dict[uuid.UUID, list[ReleaseFacts]] = defaultdict(list)
    for release in queries.list_releases(session, real) if real else ():
        releases[release.performer_id].append(release.facts)
    answers = {use: _answer(use, cast, words, releases, at) for use in uses}
    return {use: answer for use, answer in answers.items() if not answer.ok}


@dataclass(frozen=True)
class _Words:
    projects: dict[uuid.UUID, str]
    kinds: dict[uuid.UUID, str]
    modes: dict[uuid.UUID, m.TransitionMode]


def _words(session: Session, uses: Iterable[Use]) -> _Words:
    return _Words(
        queries.project_names(session, {use.project_id for use in uses}),
        queries.kind_names(session),
        queries.transition_modes(session),
    )


def _answer(
    use: Use, cast: dict[uuid.UUID, CastRow], words: _Words, releases: dict[uuid.UUID, list[ReleaseFacts]], at: datetime
) -> Cover:
    row = cast.get(use.character_id)
    if row is None:
        raise NotFoundError("There is no such character.")
    return cover(row.performer, releases[row.performer_id], _question(use, words, at))


def _question(use: Use, words: _Words, at: datetime) -> CoverQuestion:
    try:
        mode = None if use.transition_mode_id is None else words.modes[use.transition_mode_id]
        shown = [use.variant_kind_id, *_ends(mode)]
        return CoverQuestion(
            variant_kinds=tuple(dict.fromkeys(words.kinds[kind] for kind in shown)),
            transition_mode=None if mode is None else mode.name,
            project=words.projects[use.project_id],
            purpose=use.purpose,
            at=at,
        )
    except KeyError as error:
        raise NotFoundError(f"There is no project, variant kind or transition mode {error.args[0]}.") from error


def _ends(mode: m.TransitionMode | None) -> list[uuid.UUID]:
    if mode is None:
        return []
    return [kind for kind in (mode.from_kind_id, mode.to_kind_id) if kind is not None]


def _check_performer(performer: m.Performer) -> None:
    if performer.kind_id is PerformerKind.SYNTHETIC:
        raise InvalidInputError(f"'{performer.name}' is synthetic and needs no release.")
    if performer.adult_verified_at is None:
        raise ReleaseMissingError(
            f"That '{performer.name}' is an adult has not been verified.",
            hint="Record the adult verification first; the release was not stored.",
        )


def _check_terms(session: Session, terms: ReleaseTerms, document_id: uuid.UUID) -> None:
    start, end = rules.aware(terms.valid_from), terms.valid_until
    if end is not None and rules.aware(end) <= start:
        raise InvalidInputError("The release ends before it begins.")
    if not terms.purposes:
        raise InvalidInputError("A release permits at least one purpose.", hint=f"Purposes: {_purposes()}.")
    for scope, what in ((terms.variant_kinds, "variant kind"), (terms.projects, "project")):
        if scope is not None and not scope:
            raise InvalidInputError(f"A release covers at least one {what}, or all.")
    if not queries.is_document(session, document_id):
        raise NotFoundError("The signed document is not stored.", hint="Store the document first.")


def _write_scope(session: Session, release_id: uuid.UUID, terms: ReleaseTerms) -> None:
    kinds = queries.keys_by_name(session, m.VariantKind, terms.variant_kinds or (), what="variant kind")
    named = terms.transition_modes - {NORMAL_TRANSITION}
    modes = queries.keys_by_name(session, m.TransitionMode, named, what="transition mode")
    if unknown := queries.missing_projects(session, terms.projects or ()):
        raise InvalidInputError(f"There is no project {unknown[0]}.")
    rows: list[m.Base] = [
        m.ReleasePurposeGrant(release_id=release_id, purpose_id=purpose) for purpose in terms.purposes
    ]
    rows += [m.ReleaseVariantKind(release_id=release_id, variant_kind_id=key) for key in kinds.values()]
    rows += [m.ReleaseTransitionMode(release_id=release_id, transition_mode_id=key) for key in modes.values()]
    rows += [m.ReleaseProject(release_id=release_id, project_id=key) for key in terms.projects or ()]
    session.add_all(rows)
    session.flush()


def _publish(session: Session, kind: EventKind, release: m.LikenessRelease) -> None:
    payload = {"performer_id": release.performer_id}
    outbox.publish(session, kind, entity="likeness_release", entity_id=release.id, payload=payload)


def _listed(values: Collection[object] | None) -> list[str] | None:
    return None if values is None else sorted(str(value) for value in values)


def _purposes() -> str:
    return ", ".join(purpose.value for purpose in ReleasePurpose)
