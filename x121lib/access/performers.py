"""Performers: the holders of a likeness, their sealed legal names and the proof of their age."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.fernet import InvalidToken
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.access import queries, rules
from x121lib.access.queries import PerformerRow
from x121lib.base.clock import system_now, type_now
from x121lib.base.errors import ConflictError, InvalidInputError, RefusedError
from x121lib.base.ids import new_id
from x121lib.base.secrets import vault
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import PerformerKind


@dataclass(frozen=True)
class LegalName:
    """A performer's legal name on its way to or from its sealed form."""

    text: str
    """The name."""
    secrets_dir: Path
    """Folder of the studio's secrets; the data key lies there, never in the database."""

    def sealed(self) -> bytes:
        """Return the name encrypted and authenticated (Fernet: AES-128-CBC with HMAC-SHA256)."""
        return vault(self.secrets_dir).encrypt(self.text.encode())


def add_performer(
    session: Session, actor: Actor, *, name: str, kind: PerformerKind, legal_name: LegalName | None = None
) -> uuid.UUID:
    """Add a performer and return the key; the legal name is stored encrypted only.

    Raises:
        ForbiddenError: the actor may not manage rights.
        InvalidInputError: the name is empty, or a synthetic performer is given a legal name.
        ConflictError: the name is taken.
    """
    actor.require(Permission.MANAGE_RIGHTS)
    if legal_name is not None and kind is PerformerKind.SYNTHETIC:
        raise InvalidInputError("A synthetic performer has no legal name.")
    name = rules.clean_name(name, what="performer")
    key = _insert_performer(session, actor, name, kind, legal_name.sealed() if legal_name else None)
    if key is None:
        raise ConflictError(f"There already is a performer '{name}'.")
    return key


def ensure_synthetic_performer(session: Session, actor: Actor, name: str) -> uuid.UUID:
    """Return the synthetic performer of that name, adding it on first use. Idempotent.

    Raises:
        ForbiddenError: the actor may not import.
        RefusedError: the name is a real performer's, whose likeness must not pass as synthetic.
    """
    actor.require(Permission.IMPORT)
    name = rules.clean_name(name, what="performer")
    key = _insert_performer(session, actor, name, PerformerKind.SYNTHETIC, None)
    if key is not None:
        return key
    performer = queries.find_performer_by_name(session, name)
    if performer is None or performer.kind_id is not PerformerKind.SYNTHETIC:
        raise RefusedError(
            f"'{name}' is a real performer, not a synthetic one.", hint="Import with --performer instead."
        )
    return performer.id


def find_performer(session: Session, actor: Actor, name: str) -> PerformerRow | None:
    """Return the performer of that working name."""
    actor.require(Permission.VIEW)
    row = queries.find_performer_by_name(session, name.strip())
    return None if row is None else PerformerRow(row.id, row.name, row.kind_id, row.adult_verified_at)


def list_performers(session: Session, actor: Actor) -> list[PerformerRow]:
    """Return every performer, by name."""
    actor.require(Permission.VIEW)
    return queries.list_performers(session)


def read_legal_name(session: Session, actor: Actor, performer_id: uuid.UUID, *, secrets_dir: Path) -> str | None:
    """Return a performer's legal name; each reading is in the audit log.

    Raises:
        ForbiddenError: the actor may not manage rights.
        RefusedError: the studio's data key is not the one that sealed the name.
    """
    actor.require(Permission.MANAGE_RIGHTS)
    performer = queries.get_performer(session, performer_id)
    if performer.legal_name_encrypted is None:
        return None
    try:
        text = vault(secrets_dir).decrypt(performer.legal_name_encrypted).decode()
    except InvalidToken as error:
        raise RefusedError(
            "The legal name can not be read with this studio's data key.",
            hint="Restore the file 'data-key' in the folder of secrets.",
        ) from error
    audit.record(session, actor, "performer.legal_name_read", ("performer", performer_id))
    return text


def verify_adult(
    session: Session, actor: Actor, performer_id: uuid.UUID, when: datetime, *, now: type_now = system_now
) -> None:
    """Record that the actor saw proof of the performer's age at ``when``.

    Raises:
        ForbiddenError: the actor may not manage rights.
        InvalidInputError: the performer is synthetic, or ``when`` lies in the future.
    """
    actor.require(Permission.MANAGE_RIGHTS)
    performer = queries.get_performer(session, performer_id, lock=True)
    if performer.kind_id is PerformerKind.SYNTHETIC:
        raise InvalidInputError(f"'{performer.name}' is synthetic: there is no age to verify.")
    if rules.aware(when) > now():
        raise InvalidInputError("An adult verification can not lie in the future.")
    before = performer.adult_verified_at
    performer.adult_verified_at, performer.adult_verified_by_id = when, actor.person_id
    performer.version += 1
    session.flush()
    audit.record(
        session, actor, "performer.adult_verified", ("performer", performer_id),
        before={"adult_verified_at": before}, after={"adult_verified_at": when},
    )  # fmt: skip


def _insert_performer(
    session: Session, actor: Actor, name: str, kind: PerformerKind, sealed: bytes | None
) -> uuid.UUID | None:
    key = session.scalar(
        insert(m.Performer)
        .values(id=new_id(), name=name, kind_id=kind, legal_name_encrypted=sealed)
        .on_conflict_do_nothing(index_elements=["name"])
        .returning(m.Performer.id)
    )
    if key is not None:
        audit.record(session, actor, "performer.added", ("performer", key), after={"name": name, "kind": kind})
    return key
