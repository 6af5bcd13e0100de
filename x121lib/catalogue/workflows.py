"""The registry of workflows: versions with their trust and use, and the explicit upgrade of a scene type."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from x121lib import model as m
from x121lib.base.errors import ConflictError, InvalidInputError, NotFoundError
from x121lib.catalogue import slots
from x121lib.catalogue.proof import require_proof
from x121lib.comfyui.carrying import carry, renamed
from x121lib.comfyui.errors import SlotError
from x121lib.comfyui.slots import bind
from x121lib.events import outbox
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.transitions import check_workflow_transition
from x121lib.terms.vocabulary import EventKind, WorkflowStatus


@dataclass(frozen=True)
class Upgrade:
    """A scene type that refers to another workflow version from now on."""

    scene_type: str
    """The scene type."""
    version: int
    """Its new version."""
    workflow: str
    """The workflow."""
    before: int
    """The workflow version that it referred to."""
    after: int
    """The workflow version that it refers to now."""
    renamed: tuple[tuple[str, str], ...] = ()
    """(before, after) of slots that it sets and that have another name there."""


def listing(session: Session) -> Sequence[Any]:
    """Return (workflow, version, slot names, number of scene types, last use) of each version, by name and number.

    Scene types count where their newest version refers to the workflow version; a use is a take or an image made.
    """
    slots = (
        sa.select(sa.func.string_agg(m.WorkflowSlot.name.distinct(), ", "))
        .where(m.WorkflowSlot.workflow_version_id == m.WorkflowVersion.id, ~m.WorkflowSlot.is_hidden)
        .scalar_subquery()
    )
    other = aliased(m.SceneTypeVersion)
    newest = sa.select(sa.func.max(other.number)).where(other.scene_type_id == m.SceneTypeVersion.scene_type_id)
    users = (
        sa.select(sa.func.count())
        .select_from(m.SceneTypeVersion)
        .where(
            m.SceneTypeVersion.workflow_version_id == m.WorkflowVersion.id,
            m.SceneTypeVersion.number == newest.correlate(m.SceneTypeVersion).scalar_subquery(),
        )
        .correlate(m.WorkflowVersion)
        .scalar_subquery()
    )
    last = (
        sa.select(sa.func.max(m.Receipt.created_at))
        .where(m.Receipt.workflow_version_id == m.WorkflowVersion.id)
        .scalar_subquery()
    )
    return session.execute(
        sa.select(m.Workflow.name, m.WorkflowVersion, slots, users, last)
        .join(m.WorkflowVersion, m.WorkflowVersion.workflow_id == m.Workflow.id)
        .order_by(m.Workflow.name, m.WorkflowVersion.number)
    ).all()


def version(session: Session, name: str, number: int | None = None) -> m.WorkflowVersion:
    """Return a workflow's version by number, or its newest; raises `NotFoundError`."""
    query = (
        sa.select(m.WorkflowVersion)
        .join(m.Workflow, m.Workflow.id == m.WorkflowVersion.workflow_id)
        .where(m.Workflow.name == name)
        .order_by(m.WorkflowVersion.number.desc())
    )
    found = list(session.scalars(query))
    if not found:
        raise NotFoundError(f"There is no workflow '{name}'.", hint="'x121 workflow list' shows them.")
    chosen = next((row for row in found if number in (None, row.number)), None)
    if chosen is None:
        raise NotFoundError(f"Workflow '{name}' has no version {number}.", hint=f"It has 1 to {found[0].number}.")
    return chosen


def name_of(session: Session, row: m.WorkflowVersion) -> str:
    """Return the name of a version's workflow."""
    return session.get_one(m.Workflow, row.workflow_id).name


def referred(session: Session, reference: str) -> m.WorkflowVersion:
    """Return the version that ``NAME`` (the newest) or ``NAME@NUMBER`` means; raises `NotFoundError`."""
    name, at, number = reference.rpartition("@")
    known = session.scalar(sa.select(m.Workflow.id).where(m.Workflow.name == reference))
    if known is None and at and number.isdecimal() and len(number) < 9:
        return version(session, name, int(number))
    return version(session, reference)


def set_status(session: Session, actor: Actor, name: str, status: str, number: int | None = None) -> None:
    """Say how far a workflow version is trusted: one step up (Draft, Tested, Production), or back down.

    Raises:
        InvalidInputError: there is no such status.
        TransitionError: a step is left out.
        ConflictError: it has never run to its end and is to be Production.
    """
    actor.require(Permission.MANAGE_RECIPES)
    to = next((term for term in WorkflowStatus if term.value.lower() == status.lower()), None)
    if to is None:
        known = ", ".join(term.value for term in WorkflowStatus)
        raise InvalidInputError(f"There is no status '{status}' of a workflow.", hint=f"Known: {known}.")
    row = version(session, name, number)
    before = row.status_id
    check_workflow_transition(before, to)
    if to is WorkflowStatus.PRODUCTION:
        require_proof(session, name, row)
    row.status_id = to
    session.flush()
    facts = {"version": row.number, "status": to.value}
    audit.record(session, actor, "workflow.set_status", ("workflow", row.workflow_id),
                 before={"version": row.number, "status": before.value}, after=facts)  # fmt: skip
    outbox.publish(session, EventKind.WORKFLOW_STATUS_CHANGED, entity="workflow", entity_id=row.workflow_id,
                   payload={"name": name, **facts})  # fmt: skip


def set_memory(session: Session, actor: Actor, name: str, gib: float | None, number: int | None = None) -> None:
    """State the GPU memory in GiB that a worker must have to run a workflow version; None takes that back.

    A scene type's own ``vram_gib`` goes before it.

    Raises:
        InvalidInputError: not above 0, or above `LARGEST_GIB`.
    """
    actor.require(Permission.MANAGE_RECIPES)
    if gib is not None and not 0 < gib <= LARGEST_GIB:
        raise InvalidInputError(f"GPU memory is above 0 and at most {LARGEST_GIB} GiB, not {gib:g}.")
    row = version(session, name, number)
    before, row.vram_bytes = row.vram_bytes, None if gib is None else int(gib * 2**30)
    session.flush()
    audit.record(session, actor, "workflow.set_memory", ("workflow", row.workflow_id),
                 before={"version": row.number, "bytes": before}, after={"bytes": row.vram_bytes})  # fmt: skip


LARGEST_GIB = 4096
"""Most GPU memory that can be asked of one worker, in GiB."""


def upgrade(session: Session, actor: Actor, scene_type: str, number: int | None = None) -> Upgrade:
    """Store a version of a scene type that refers to another version of its workflow (default: the newest).

    Everything else stays; values follow their node where its slot has another name there. Scenes that are planned
    keep their version.

    Raises:
        NotFoundError: no such scene type or workflow version.
        ConflictError: it refers to that version already, or it sets a slot that the version does not have, that is
            hidden there, or that does not take its value.
    """
    actor.require(Permission.MANAGE_RECIPES)
    last = _newest(session, scene_type)
    old = session.get_one(m.WorkflowVersion, last.workflow_version_id)
    workflow = session.get_one(m.Workflow, old.workflow_id)
    new = version(session, workflow.name, number)
    if new.id == old.id:
        raise ConflictError(f"Scene type '{scene_type}' refers to version {old.number} of '{workflow.name}' already.")
    values = _slot_values(session, last.id)
    names = _renamed_values(session, scene_type, workflow.name, (old, new), values)
    kinds = session.scalars(
        sa.select(m.SceneTypeVariantKind.variant_kind_id).where(m.SceneTypeVariantKind.scene_type_version_id == last.id)
    ).all()
    row = _copied(last, new, actor)
    session.add(row)
    session.flush()
    session.add_all(m.SceneTypeVariantKind(scene_type_version_id=row.id, variant_kind_id=kind) for kind in kinds)
    session.add_all(
        m.SceneTypeSlotValue(scene_type_version_id=row.id, slot=names[v.slot], value=v.value) for v in values
    )
    session.flush()
    audit.record(session, actor, "scene_type.upgrade", ("scene_type", last.scene_type_id),
                 before={"workflow_version": old.number}, after={"workflow_version": new.number})  # fmt: skip
    outbox.publish(session, EventKind.SCENE_TYPE_LOADED, entity="scene_type", entity_id=last.scene_type_id,
                   payload={"name": scene_type, "version": row.number})  # fmt: skip
    moved = tuple((before, after) for before, after in names.items() if before != after)
    return Upgrade(scene_type, row.number, workflow.name, old.number, new.number, moved)


def _renamed_values(
    session: Session, scene_type: str, workflow: str, versions: tuple[m.WorkflowVersion, m.WorkflowVersion],
    values: Sequence[m.SceneTypeSlotValue],
) -> dict[str, str]:  # fmt: skip
    """Return the new name of each slot that is set; raises `ConflictError` where one is lost or refuses its value."""
    old, new = versions
    later = slots.slots_of(session, new.id)
    names = renamed(old.graph, slots.slots_of(session, old.id), new.graph, later)
    lost = sorted({v.slot for v in values} - set(names))
    if lost:
        _, gone = carry(old.graph, slots.known_slots(session, old.id), new.graph, [])
        reasons = {slot.name: slot.reason for slot in gone}
        hidden = {slot.name for slot in later if slot.is_hidden}
        why = "; ".join(f"{n}: {reasons.get(n, 'hidden there' if n in hidden else 'no such slot')}" for n in lost)
        raise ConflictError(
            f"Version {new.number} of '{workflow}' has no slot {', '.join(lost)}, which '{scene_type}' sets ({why}).",
            hint="Take it out of the scene type's file and load that, or bring the node back.",
        )
    try:
        bind(new.graph, later, {names[v.slot]: v.value for v in values})
    except SlotError as error:
        raise ConflictError(
            f"Version {new.number} of '{workflow}' does not take what '{scene_type}' sets: {error.message}",
            hint="Change the value in the scene type's file and load that.",
        ) from error
    return names


def _newest(session: Session, scene_type: str) -> m.SceneTypeVersion:
    found = session.scalars(
        sa.select(m.SceneTypeVersion)
        .join(m.SceneType, m.SceneType.id == m.SceneTypeVersion.scene_type_id)
        .where(m.SceneType.name == scene_type)
        .order_by(m.SceneTypeVersion.number.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        raise NotFoundError(f"There is no scene type '{scene_type}'.", hint="'x121 scene-type list' shows them.")
    return found


def _slot_values(session: Session, version_id: uuid.UUID) -> list[m.SceneTypeSlotValue]:
    query = sa.select(m.SceneTypeSlotValue).where(m.SceneTypeSlotValue.scene_type_version_id == version_id)
    return list(session.scalars(query))


def _copied(last: m.SceneTypeVersion, workflow: m.WorkflowVersion, actor: Actor) -> m.SceneTypeVersion:
    own = {"id", "number", "workflow_version_id", "content_hash", "created_by_id", "created_at"}
    kept = {c.key: getattr(last, c.key) for c in m.SceneTypeVersion.__table__.columns if c.key not in own}
    digest = hashlib.sha256(f"{last.content_hash}/{workflow.id}".encode()).hexdigest()
    return m.SceneTypeVersion(
        **kept, number=last.number + 1, workflow_version_id=workflow.id, content_hash=digest,
        created_by_id=actor.person_id,
    )  # fmt: skip
