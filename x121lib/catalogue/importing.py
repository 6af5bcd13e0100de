"""Import of workflows: a graph becomes a version, and the slots of the version before follow their nodes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.catalogue import packs, slots
from x121lib.comfyui.carrying import KnownSlot, LostSlot, carry
from x121lib.comfyui.graph import canonical_hash, load_graph, node_classes
from x121lib.comfyui.slots import discover_slots
from x121lib.events import outbox
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import EventKind


@dataclass(frozen=True)
class Imported:
    """What an import stored."""

    version_id: uuid.UUID
    """The version's key."""
    name: str
    """The workflow."""
    number: int
    """The version."""
    is_new: bool
    """Whether it was not known before."""
    lost: tuple[LostSlot, ...] = ()
    """Slots of the version before whose binding does not survive."""
    users: tuple[str, ...] = ()
    """What sets one of the lost slots in an earlier version: it can not be upgraded as it is."""

    @property
    def lines(self) -> list[str]:
        """What is lost, one line for each slot, to be read by people."""
        return [f"Slot '{slot.name}' is lost: {slot.reason}." for slot in self.lost]


def import_workflow(
    session: Session,
    actor: Actor,
    path: Path,
    *,
    repeats_seed_frame: bool = False,
    object_info: Mapping[str, Any] | None = None,
) -> Imported:
    """Store a workflow's graph as a version, named after the file; the same graph again is the same version.

    A file in the editor's form is converted by ``object_info``, a worker's description of its classes. Ranges of
    slots come from it, or from what workers that were asked before say of the graph's classes. Names, labels,
    defaults and hiding of the version before go over to each slot whose node is still there.

    Raises:
        GraphError: no sound graph; the editor's form without ``object_info``, or with nodes that have no API form.
    """
    actor.require(Permission.MANAGE_RECIPES)
    graph = load_graph(path, object_info=object_info)
    digest = canonical_hash(graph)
    workflow = session.scalars(sa.select(m.Workflow).where(m.Workflow.name == path.stem)).first()
    if workflow is None:
        workflow = m.Workflow(name=path.stem)
        session.add(workflow)
        session.flush()
    number = m.WorkflowVersion.number
    query = sa.select(m.WorkflowVersion).where(m.WorkflowVersion.workflow_id == workflow.id).order_by(number)
    versions = list(session.scalars(query))
    for known in versions:
        if known.graph_hash == digest and known.repeats_seed_frame == repeats_seed_frame:
            packs.remember(session, known.id, path)
            return Imported(known.id, path.stem, known.number, is_new=False)
    row = m.WorkflowVersion(
        workflow_id=workflow.id, number=len(versions) + 1, graph=graph, graph_hash=digest,
        repeats_seed_frame=repeats_seed_frame, created_by_id=actor.person_id,
    )  # fmt: skip
    session.add(row)
    session.flush()
    lost = _add_slots(session, row, versions[-1] if versions else None, object_info)
    packs.remember(session, row.id, path)
    users = _users(session, versions, lost)
    facts = {"version": row.number, **({"lost_slots": [slot.name for slot in lost]} if lost else {})}
    audit.record(session, actor, "workflow.import", ("workflow", workflow.id), after=facts)
    outbox.publish(session, EventKind.WORKFLOW_IMPORTED, entity="workflow", entity_id=workflow.id,
                   payload={"name": path.stem, **facts})  # fmt: skip
    return Imported(row.id, path.stem, row.number, is_new=True, lost=tuple(lost), users=users)


def _add_slots(
    session: Session, row: m.WorkflowVersion, last: m.WorkflowVersion | None, object_info: Mapping[str, Any] | None
) -> list[LostSlot]:
    specs = object_info or slots.specs_of_workers(session, set(node_classes(row.graph)))
    found = discover_slots(row.graph, specs)
    if last is None:
        slots.store(session, row.id, [KnownSlot(slot, slot.name) for slot in found])
        return []
    carried, lost = carry(last.graph, slots.known_slots(session, last.id), row.graph, found)
    slots.store(session, row.id, carried)
    names = {one.slot.name for one in carried}
    return [slot for slot in lost if slot.name not in names]


def _users(session: Session, earlier: list[m.WorkflowVersion], lost: list[LostSlot]) -> tuple[str, ...]:
    names = {slot.name for slot in lost}
    found = [slots.setters(session, version.id) for version in earlier] if names else []
    return tuple(dict.fromkeys(who for setting in found for name in sorted(names) for who in setting.get(name, ())))
