"""Repair by re-path: a missing model whose content lies elsewhere takes that place; and removing a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import RefusedError
from x121lib.events import outbox
from x121lib.models import queries
from x121lib.models.usage import Use, uses_of
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import EventKind, ModelStatus


@dataclass(frozen=True)
class Repair:
    """What became of a missing model."""

    path: str
    """Where it was."""
    found: str | None
    """Where the same content lies; None: nowhere, the file must be brought back."""
    still_named: tuple[str, ...]
    """Workflows and scene types that still name the old file, where its name changed."""


def repair(session: Session, actor: Actor) -> list[Repair]:
    """Give each missing model the place of a present file with the same SHA-256; run a scan first.

    The model keeps its key, versions, rating and notes. The entry that the scan made for the file at the new place
    is taken away, unless people have rated it or written notes on it: then both stay.
    """
    actor.require(Permission.MANAGE_RECIPES)
    query = sa.select(m.LibraryModel).where(m.LibraryModel.status_id == ModelStatus.MISSING)
    done = []
    for row in session.scalars(query.order_by(m.LibraryModel.path).with_for_update()):
        newest = queries.versions(session, row.id)[0]
        free = [x for x in queries.same_content(session, newest.sha256) if _is_untouched(session, x)]
        done.append(_move(session, actor, row, free[0]) if free else Repair(row.path, None, ()))
    return done


def _is_untouched(session: Session, row: m.LibraryModel) -> bool:
    n_versions = len(queries.versions(session, row.id))
    return row.rating is None and n_versions == 1 and not queries.notes(session, row.id)


def _move(session: Session, actor: Actor, row: m.LibraryModel, to: m.LibraryModel) -> Repair:
    before = row.path
    named = (
        tuple(f"{use.what} {use.name}" for use in uses_of(session, row) if use.is_current)
        if row.name != to.name
        else ()
    )
    values = {"root_id": to.root_id, "path": to.path, "name": to.name, "kind_id": to.kind_id, "n_bytes": to.n_bytes,
              "modified_ns": to.modified_ns, "status_id": ModelStatus.PRESENT}  # fmt: skip
    newest = queries.versions(session, row.id)[0]
    session.execute(
        sa.update(m.ReceiptModel)
        .where(
            m.ReceiptModel.model_version_id.in_(sa.select(m.ModelVersion.id).where(m.ModelVersion.model_id == to.id))
        )
        .values(model_version_id=newest.id)
    )
    session.execute(sa.delete(m.LibraryModel).where(m.LibraryModel.id == to.id))
    session.execute(sa.update(m.LibraryModel).where(m.LibraryModel.id == row.id).values(**values))
    session.flush()
    audit.record(session, actor, "model.repair", ("model", row.id), before={"path": before}, after={"path": to.path})
    return Repair(before, to.path, named)


def remove(session: Session, actor: Actor, name: str, *, keep_file: bool) -> Path | None:
    """Take a model out of the inventory; returns the file that the caller deletes once this is committed, or None.

    Raises:
        RefusedError: a workflow, a scene type or open work uses it; the message names them.
    """
    actor.require(Permission.MANAGE_RECIPES)
    row = queries.model(session, name)
    holding = [use for use in uses_of(session, row) if use.is_current]
    if holding:
        raise RefusedError(
            f"'{row.path}' is in use by {_words(holding)}; nothing was removed.",
            hint="Import workflows and load scene types that name another model first; 'x121 model uses' lists all.",
        )
    file = Path(session.get_one(m.ModelRoot, row.root_id).path) / row.path
    newest = queries.versions(session, row.id)[0]
    key, path = row.id, row.path
    session.delete(row)
    session.flush()
    facts = {"path": path, "sha256": newest.sha256, "kept_file": keep_file}
    audit.record(session, actor, "model.remove", ("model", key), before=facts)
    outbox.publish(session, EventKind.MODEL_REMOVED, entity="model", entity_id=key, payload=facts)
    return None if keep_file else file


def _words(uses: list[Use]) -> str:
    said = [f"{use.what} '{use.name}'" for use in uses]
    return ", ".join(said[:5]) + (f" and {len(said) - 5} more" if len(said) > 5 else "")
