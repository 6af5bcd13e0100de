"""Every SELECT of access."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.access.cover import PerformerFacts, ReleaseFacts
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.terms.vocabulary import PerformerKind, ReleasePurpose, RoleName


@dataclass(frozen=True)
class PersonRow:
    """A person as lists show one."""

    person_id: uuid.UUID
    """Key."""
    name: str
    """Name shown."""
    email: str
    """Address that signs in, in lower case."""
    roles: tuple[RoleName, ...]
    """Roles held."""
    is_active: bool
    """Whether the person may sign in and act."""
    has_password: bool
    """Whether a password is set; without one only a sign-in link opens the door."""
    created_at: datetime
    """When the person was added."""


@dataclass(frozen=True)
class PerformerRow:
    """A performer as lists show one; the legal name stays sealed."""

    performer_id: uuid.UUID
    """Key."""
    name: str
    """Working name."""
    kind: PerformerKind
    """Synthetic or real."""
    adult_verified_at: datetime | None
    """When adulthood was verified."""


@dataclass(frozen=True)
class ReleaseRow:
    """A release as lists show one."""

    release_id: uuid.UUID
    """Key."""
    performer_id: uuid.UUID
    """Whose likeness."""
    performer_name: str
    """The performer's working name."""
    document_artifact_id: uuid.UUID
    """The signed document."""
    facts: ReleaseFacts
    """Validity and scope, as the gate reads them."""
    revocation_reason: str | None
    """Why it was revoked."""


def _any(column: Any, keys: Iterable[uuid.UUID]) -> sa.ColumnElement[bool]:
    """Compare with a whole array in one bind parameter, so that 10,000 keys stay one statement."""
    return column == sa.any_(sa.literal(list(keys), ARRAY(sa.Uuid)))  # type: ignore[no-any-return]


def roles_of(session: Session, person_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[RoleName, ...]]:
    """Return the roles of some people, by the role's number."""
    found: dict[uuid.UUID, list[RoleName]] = defaultdict(list)
    query = sa.select(m.PersonRole.person_id, m.PersonRole.role_id).where(_any(m.PersonRole.person_id, person_ids))
    for person_id, role in session.execute(query.order_by(m.PersonRole.role_id)):
        found[person_id].append(role)
    return {key: tuple(roles) for key, roles in found.items()}


def get_person(session: Session, person_id: uuid.UUID, *, lock: bool = False) -> m.Person:
    """Return a person, locked until commit where asked; raises `NotFoundError`."""
    person = session.get(m.Person, person_id, with_for_update=lock, populate_existing=True)
    if person is None:
        raise NotFoundError("There is no such person.", hint="'x121 person list' shows everybody.")
    return person


def find_person_by_email(session: Session, email: str) -> m.Person | None:
    """Return the person with that (cleaned) address."""
    return session.scalars(sa.select(m.Person).where(m.Person.email == email)).one_or_none()


def list_people(session: Session) -> list[PersonRow]:
    """Return everybody, by name."""
    people = session.scalars(sa.select(m.Person).order_by(m.Person.name, m.Person.id)).all()
    roles = roles_of(session, [person.id for person in people])
    return [
        PersonRow(
            person.id, person.name, person.email, roles.get(person.id, ()), person.is_active,
            person.password_hash is not None, person.created_at,
        )
        for person in people
    ]  # fmt: skip


def get_performer(session: Session, performer_id: uuid.UUID, *, lock: bool = False) -> m.Performer:
    """Return a performer, locked until commit where asked; raises `NotFoundError`."""
    performer = session.get(m.Performer, performer_id, with_for_update=lock, populate_existing=True)
    if performer is None:
        raise NotFoundError("There is no such performer.")
    return performer


def find_performer_by_name(session: Session, name: str) -> m.Performer | None:
    """Return the performer of that working name."""
    return session.scalars(sa.select(m.Performer).where(m.Performer.name == name)).one_or_none()


def list_performers(session: Session) -> list[PerformerRow]:
    """Return every performer, by name."""
    rows = session.scalars(sa.select(m.Performer).order_by(m.Performer.name))
    return [PerformerRow(row.id, row.name, row.kind_id, row.adult_verified_at) for row in rows]


def get_release(session: Session, release_id: uuid.UUID) -> m.LikenessRelease:
    """Return a release, locked until commit; raises `NotFoundError`."""
    release = session.get(m.LikenessRelease, release_id, with_for_update=True, populate_existing=True)
    if release is None:
        raise NotFoundError("There is no such likeness release.", hint="'x121 release list' shows them.")
    return release


def keys_by_name(session: Session, table: Any, names: Collection[str], *, what: str) -> dict[str, uuid.UUID]:
    """Return the keys of named rows; raises `InvalidInputError` naming the unknown ones and the known."""
    known: dict[str, uuid.UUID] = {name: key for name, key in session.execute(sa.select(table.name, table.id))}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise InvalidInputError(
            f"There is no {what} '{unknown[0]}'.", hint=f"Known: {', '.join(sorted(known)) or 'none'}."
        )
    return {name: known[name] for name in names}


def missing_projects(session: Session, project_ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Return those of the keys that are no project's."""
    known = set(session.scalars(sa.select(m.Project.id).where(_any(m.Project.id, project_ids))))
    return [key for key in project_ids if key not in known]


def is_document(session: Session, artifact_id: uuid.UUID) -> bool:
    """Return whether the artifact exists."""
    return session.scalar(sa.select(m.Artifact.id).where(m.Artifact.id == artifact_id)) is not None


def list_releases(session: Session, performer_ids: Collection[uuid.UUID] | None = None) -> list[ReleaseRow]:
    """Return releases with their scope, oldest first: of some performers, or all. Five statements."""
    query = (
        sa.select(m.LikenessRelease, m.Performer.name)
        .join(m.Performer, m.Performer.id == m.LikenessRelease.performer_id)
        .order_by(m.LikenessRelease.created_at, m.LikenessRelease.id)
    )
    if performer_ids is not None:
        query = query.where(_any(m.LikenessRelease.performer_id, performer_ids))
    found = [(release, name) for release, name in session.execute(query)]
    scopes = _scopes(session, [release.id for release, _ in found])
    return [
        ReleaseRow(
            release.id, release.performer_id, name, release.document_artifact_id,
            _facts(release, scopes), release.revocation_reason,
        )
        for release, name in found
    ]  # fmt: skip


@dataclass(frozen=True)
class _Scopes:
    kinds: dict[uuid.UUID, frozenset[str]]
    modes: dict[uuid.UUID, frozenset[str]]
    projects: dict[uuid.UUID, frozenset[str]]
    purposes: dict[uuid.UUID, frozenset[ReleasePurpose]]


def _scopes(session: Session, release_ids: Collection[uuid.UUID]) -> _Scopes:
    def grouped(query: sa.Select[*tuple[Any, ...]], owner: Any) -> dict[uuid.UUID, frozenset[Any]]:
        found: dict[uuid.UUID, set[Any]] = defaultdict(set)
        for release_id, value in session.execute(query.where(_any(owner, release_ids))):
            found[release_id].add(value)
        return {key: frozenset(values) for key, values in found.items()}

    kind, mode, project, grant = (
        m.ReleaseVariantKind, m.ReleaseTransitionMode, m.ReleaseProject, m.ReleasePurposeGrant
    )  # fmt: skip
    return _Scopes(
        kinds=grouped(
            sa.select(kind.release_id, m.VariantKind.name).join(
                m.VariantKind, m.VariantKind.id == kind.variant_kind_id
            ),
            kind.release_id,
        ),
        modes=grouped(
            sa.select(mode.release_id, m.TransitionMode.name).join(
                m.TransitionMode, m.TransitionMode.id == mode.transition_mode_id
            ),
            mode.release_id,
        ),
        projects=grouped(
            sa.select(project.release_id, m.Project.name).join(m.Project, m.Project.id == project.project_id),
            project.release_id,
        ),
        purposes=grouped(sa.select(grant.release_id, grant.purpose_id), grant.release_id),
    )


def _facts(release: m.LikenessRelease, scopes: _Scopes) -> ReleaseFacts:
    nothing: frozenset[str] = frozenset()
    return ReleaseFacts(
        valid_from=release.valid_from,
        valid_until=release.valid_until,
        revoked_at=release.revoked_at,
        purposes=scopes.purposes.get(release.id, frozenset()),
        projects=None if release.covers_all_projects else scopes.projects.get(release.id, nothing),
        variant_kinds=None if release.covers_all_variant_kinds else scopes.kinds.get(release.id, nothing),
        transition_modes=scopes.modes.get(release.id, nothing),
    )


@dataclass(frozen=True)
class CastRow:
    """Who stands behind a character."""

    performer_id: uuid.UUID
    """Key of the performer."""
    performer: PerformerFacts
    """Facts for the gate."""
    character_name: str
    """The character's name."""


def cast_of(session: Session, character_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, CastRow]:
    """Return the performer behind each character, in one statement."""
    query = (
        sa.select(m.Character.id, m.Character.name, m.Performer)
        .join(m.Performer, m.Performer.id == m.Character.performer_id)
        .where(_any(m.Character.id, character_ids))
    )
    return {
        key: CastRow(who.id, PerformerFacts(who.name, who.kind_id, who.adult_verified_at), name)
        for key, name, who in session.execute(query)
    }


def project_names(session: Session, project_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return the names of some projects."""
    rows = session.execute(sa.select(m.Project.id, m.Project.name).where(_any(m.Project.id, project_ids)))
    return {key: name for key, name in rows}


def kind_names(session: Session) -> dict[uuid.UUID, str]:
    """Return the name of every variant kind."""
    return {key: name for key, name in session.execute(sa.select(m.VariantKind.id, m.VariantKind.name))}


def transition_modes(session: Session) -> dict[uuid.UUID, m.TransitionMode]:
    """Return every transition mode."""
    return {mode.id: mode for mode in session.scalars(sa.select(m.TransitionMode))}
