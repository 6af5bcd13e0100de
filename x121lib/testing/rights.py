"""A small studio to ask the likeness gate about: projects, two variant kinds, a transition, characters."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.access import rights
from x121lib.base.ids import new_id
from x121lib.store.artifact_rows import FileFacts, register
from x121lib.store.session import Database
from x121lib.terms.roles import Actor
from x121lib.terms.vocabulary import ArtifactKind, PerformerKind, ReleasePurpose

VERIFIED = datetime(2026, 1, 2, tzinfo=UTC)
FROM = datetime(2026, 1, 10, tzinfo=UTC)
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Cast:
    """Keys of the small studio."""

    project: uuid.UUID
    other_project: uuid.UUID
    clothed: uuid.UUID
    evening: uuid.UUID
    coat_off: uuid.UUID
    ada: uuid.UUID
    lena: uuid.UUID
    ada_character: uuid.UUID
    lena_character: uuid.UUID
    document: uuid.UUID


def _kind(session: Session, name: str, order: int) -> uuid.UUID:
    key = session.scalar(sa.select(m.VariantKind.id).where(m.VariantKind.name == name))
    if key is None:
        key = new_id()
        session.add(m.VariantKind(id=key, name=name, filename_prefix=f"{name}_test_", sort_order=order))
    return key


def _character(session: Session, project: uuid.UUID, performer: uuid.UUID, name: str) -> uuid.UUID:
    key = new_id()
    session.add(
        m.Character(
            id=key, project_id=project, performer_id=performer, name=name, folder_name=name, folder_key=name.lower()
        )
    )
    return key


def make_cast(database: Database, admin: Actor) -> Cast:
    """Store Ada, a real performer whose age is verified, and Lena, a drawn one, each with a character."""
    with database.transaction() as session:
        tier = new_id()
        session.add(m.Tier(id=tier, name="Test tier", is_deliverable=True, sort_order=90))
        session.flush()
        project, other = new_id(), new_id()
        session.add_all(
            m.Project(id=key, name=name, default_tier_id=tier) for key, name in ((project, "Spring"), (other, "Autumn"))
        )
        clothed, evening, coat_off = _kind(session, "clothed", 1), _kind(session, "evening", 2), new_id()
        session.flush()
        session.add(
            m.TransitionMode(
                id=coat_off, name="coat_off", filename_suffix="_coat_off", from_kind_id=clothed, to_kind_id=evening
            )
        )
        ada = rights.add_performer(session, admin, name="Ada", kind=PerformerKind.REAL)
        lena = rights.add_performer(session, admin, name="Lena", kind=PerformerKind.SYNTHETIC)
        rights.verify_adult(session, admin, ada, VERIFIED)
        ada_character = _character(session, project, ada, "Captain Ada")
        lena_character = _character(session, project, lena, "Lena")
        document = register(session, FileFacts("ab" * 32, 9, "application/pdf", ArtifactKind.DOCUMENT))
    return Cast(
        project, other, clothed, evening, coat_off, ada, lena, ada_character, lena_character, document
    )  # fmt: skip


def terms(**changes: object) -> rights.ReleaseTerms:
    """Return terms that permit everything to the clothed kind for a year, but for the changes."""
    values: dict[str, object] = {
        "valid_from": FROM,
        "valid_until": FROM + timedelta(days=365),
        "purposes": frozenset(ReleasePurpose),
        "variant_kinds": frozenset({"clothed"}),
    }
    return rights.ReleaseTerms(**(values | changes))  # type: ignore[arg-type]
