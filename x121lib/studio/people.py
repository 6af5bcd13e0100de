"""People, sign-in, performers and likeness releases, as the façade offers them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from x121lib import model as m
from x121lib.access import rights, sign_in
from x121lib.access import service as people
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.catalogue import queries as catalogue
from x121lib.pipeline import flow
from x121lib.store.artifact_rows import FileFacts, register
from x121lib.terms.roles import Actor
from x121lib.terms.vocabulary import ArtifactKind, PerformerKind, ReleasePurpose, RoleName

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

_DOCUMENT_TYPES = {".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
_ALL_PURPOSES = frozenset({ReleasePurpose.GENERATE, ReleasePurpose.SHARE, ReleasePurpose.DELIVER})


@dataclass(frozen=True)
class ReleaseInput:
    """A release as somebody enters it; empty collections mean *all*."""

    performer: str
    """Working name of the performer."""
    document: Path
    """The signed document: PDF, PNG or JPEG."""
    valid_from: datetime
    """First moment at which it holds."""
    valid_until: datetime | None = None
    """First moment at which it no longer holds; None: open-ended."""
    variant_kinds: tuple[str, ...] = ()
    """Variant kinds covered."""
    transition_modes: tuple[str, ...] = ()
    """Transition modes covered; normal always is."""
    projects: tuple[str, ...] = ()
    """Projects covered."""
    purposes: frozenset[ReleasePurpose] = _ALL_PURPOSES
    """What it permits."""
    legal_name: str | None = None
    """Legal name, stored encrypted, for a performer who is new."""
    adult_verified_at: datetime | None = None
    """When the actor saw proof that the performer is an adult."""


class People:
    """People, sign-in, performers and releases."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(self, name: str, email: str, roles: Sequence[str], password: str | None = None) -> uuid.UUID:
        """Add a person with roles (Admin, Creator, Reviewer); returns the key."""
        with self._studio.transaction() as session:
            return people.add_person(
                session, self._studio.actor, name=name, email=email, roles=[_role(r) for r in roles],
                password=password,
            )  # fmt: skip

    def ensure(self, name: str, email: str, roles: Collection[RoleName]) -> uuid.UUID:
        """Return the person of that address, adding them without a password where there is none."""
        with self._studio.transaction() as session:
            found = session.scalars(sa.select(m.Person.id).where(m.Person.email == email)).one_or_none()
            return found or people.add_person(session, self._studio.actor, name=name, email=email, roles=list(roles))

    def list(self) -> pd.DataFrame:
        """Return one row per person: name, email, roles, active."""
        with self._studio.transaction() as session:
            rows = people.list_people(session, self._studio.actor)
        data = [
            {"name": p.name, "email": p.email, "roles": ", ".join(r.value for r in p.roles), "active": p.is_active}
            for p in rows
        ]
        return pd.DataFrame(data, columns=["name", "email", "roles", "active"])

    def make_sign_in_link(self, person_id: uuid.UUID, lifetime_s: float = 900) -> str:
        """Return the token of a one-time sign-in link."""
        with self._studio.transaction() as session:
            return sign_in.make_sign_in_link(session, self._studio.actor, person_id, lifetime_s)

    def redeem(self, token: str) -> tuple[Actor, str]:
        """Use a one-time link up; returns the actor and a signed session token."""
        with self._studio.transaction() as session:
            person_id = sign_in.redeem(session, token)
            return people.actor_for(session, person_id), self._issue(session, person_id)

    def sign_in(self, email: str, password: str, source: str = "") -> tuple[Actor, str]:
        """Check a password; returns the actor and a signed session token."""
        with self._studio.transaction() as session:
            actor = sign_in.sign_in(session, email, password, source=source)
            if actor.person_id is None:
                raise NotFoundError("This person is gone.")
            return actor, self._issue(session, actor.person_id)

    def actor_for_session(self, token: str) -> Actor:
        """Return the actor of a signed session token; raises `SignedOutError`."""
        with self._studio.transaction() as session:
            key = sign_in.session_key(self._studio.settings.secrets_dir)
            return people.actor_for(session, sign_in.person_for_session(session, token, key=key))

    def _issue(self, session: sa.orm.Session, person_id: uuid.UUID) -> str:
        return sign_in.issue_session(session, person_id, key=sign_in.session_key(self._studio.settings.secrets_dir))

    def add_release(self, given: ReleaseInput) -> uuid.UUID:
        """Record a signed release, adding the performer where they are new; returns the release's key.

        Raises:
            ReleaseMissingError: nobody has verified that the performer is an adult.
            InvalidInputError: the document is missing or of another type.
        """
        facts = self._store_document(given.document)
        with self._studio.transaction() as session:
            actor = self._studio.actor
            performer_id = self._performer(session, given)
            if given.adult_verified_at is not None:
                rights.verify_adult(session, actor, performer_id, given.adult_verified_at)
            projects = frozenset(catalogue.project(session, p).id for p in given.projects)
            terms = rights.ReleaseTerms(
                valid_from=given.valid_from, valid_until=given.valid_until, purposes=given.purposes,
                variant_kinds=frozenset(given.variant_kinds) or None, projects=projects or None,
                transition_modes=frozenset(given.transition_modes),
            )  # fmt: skip
            return rights.add_release(
                session, actor, performer_id=performer_id, document_artifact_id=register(session, facts), terms=terms
            )

    def _store_document(self, path: Path) -> FileFacts:
        media_type = _DOCUMENT_TYPES.get(path.suffix.lower())
        if media_type is None or not path.is_file():
            raise InvalidInputError(f"{path} is no release document.", hint="Give a PDF, PNG or JPEG file.")
        stored = self._studio.house.artifacts.put_file(path)
        return FileFacts(stored.sha256, stored.n_bytes, media_type, ArtifactKind.DOCUMENT)

    def _performer(self, session: sa.orm.Session, given: ReleaseInput) -> uuid.UUID:
        found = rights.find_performer(session, self._studio.actor, given.performer)
        if found is not None:
            return found.performer_id
        legal = rights.LegalName(given.legal_name, self._studio.settings.secrets_dir) if given.legal_name else None
        return rights.add_performer(
            session, self._studio.actor, name=given.performer, kind=PerformerKind.REAL, legal_name=legal
        )

    def revoke_release(self, release_id: uuid.UUID, reason: str) -> int:
        """Revoke a release; cancels every queued task that nothing covers any more and returns how many."""
        with self._studio.transaction() as session:
            return flow.revoke_release(session, self._studio.actor, release_id, reason, self._studio.house.now())

    def releases(self) -> pd.DataFrame:
        """Return one row per likeness release."""
        with self._studio.transaction() as session:
            rows = rights.list_releases(session, self._studio.actor)
        data = [
            {
                "release_id": r.release_id, "performer": r.performer_name, "valid_from": r.facts.valid_from,
                "valid_until": r.facts.valid_until, "revoked_at": r.facts.revoked_at,
                "variant_kinds": ", ".join(sorted(r.facts.variant_kinds or ())) or "all",
                "purposes": ", ".join(sorted(p.value for p in r.facts.purposes)),
            }
            for r in rows
        ]  # fmt: skip
        columns = [
            "release_id", "performer", "valid_from", "valid_until", "revoked_at", "variant_kinds", "purposes"
        ]  # fmt: skip
        return pd.DataFrame(data, columns=columns)


def _role(name: str) -> RoleName:
    try:
        return RoleName(name.capitalize())
    except ValueError as error:
        raise InvalidInputError(f"There is no role '{name}'.", hint="Roles: Admin, Creator, Reviewer.") from error
