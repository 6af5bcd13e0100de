"""Projects and variant kinds."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import ConflictError, InvalidInputError
from x121lib.catalogue import queries
from x121lib.events import outbox
from x121lib.store import audit
from x121lib.terms.naming import check_variant_kind
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import EventKind, ProjectStatus


def create_project(session: Session, actor: Actor, name: str, *, default_tier: str = "Production") -> uuid.UUID:
    """Create a project and return its key.

    Raises:
        InvalidInputError: the name is empty or over 120 characters.
        ConflictError: a project of that name exists.
    """
    actor.require(Permission.MANAGE_PROJECTS)
    name = name.strip()
    if not 0 < len(name) <= 120:
        raise InvalidInputError("A project's name has 1 to 120 characters.")
    taken = session.scalars(sa.select(m.Project.name).where(sa.func.lower(m.Project.name) == name.lower())).first()
    if taken:
        raise ConflictError(f"There is a project '{taken}' already.", hint="Choose another name.")
    row = m.Project(
        name=name, default_tier_id=queries.tier(session, default_tier).id, created_by_id=actor.person_id,
        status_id=ProjectStatus.SETUP,
    )  # fmt: skip
    session.add(row)
    session.flush()
    audit.record(session, actor, "project.create", ("project", row.id), after={"name": name})
    outbox.publish(session, EventKind.PROJECT_CREATED, entity="project", entity_id=row.id, project_id=row.id,
                   payload={"name": name})  # fmt: skip
    return row.id


def add_variant_kind(
    session: Session, actor: Actor, name: str, *, prefix: str, workflow_version_id: uuid.UUID | None = None
) -> uuid.UUID:
    """Add a variant kind (or set the workflow of a known one with the same prefix) and return its key.

    Raises:
        ConflictError: file names would become ambiguous, or the kind exists with another prefix.
    """
    actor.require(Permission.MANAGE_RECIPES)
    check_variant_kind(name, prefix, queries.naming_rules(session), queries.scene_type_names(session))
    row = session.scalars(sa.select(m.VariantKind).where(m.VariantKind.name == name)).first()
    if row is not None and row.filename_prefix != prefix:
        raise ConflictError(f"Variant kind '{name}' exists with the prefix '{row.filename_prefix}'.")
    if row is None:
        last = session.scalar(sa.select(sa.func.max(m.VariantKind.sort_order))) or 0
        row = m.VariantKind(name=name, filename_prefix=prefix, is_source=False, sort_order=last + 1)
        session.add(row)
    if workflow_version_id is not None:
        row.workflow_version_id = workflow_version_id
    session.flush()
    audit.record(session, actor, "variant_kind.add", ("variant_kind", row.id), after={"name": name, "prefix": prefix})
    return row.id
