"""The slots of a workflow version: read for binding; renamed, hidden, bounded, added and removed by people."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError
from x121lib.catalogue.slot_changes import checked_changes, checked_name, parsed
from x121lib.comfyui.carrying import KnownSlot
from x121lib.comfyui.graph import Graph, is_link
from x121lib.comfyui.input_specs import input_spec
from x121lib.comfyui.slots import FILLED_SLOTS, Slot, check_value, described
from x121lib.events import outbox
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import EventKind, SlotType, WorkerStatus

_SHARED = FILLED_SLOTS | {"seed", "text_prompt", "negative_prompt"}
"""Names that several slots may have: X121 fills all of them alike."""
_MOST_SLOTS = 2000


def rows_of(session: Session, version_id: uuid.UUID) -> list[tuple[m.WorkflowSlot, Slot]]:
    """Return the slots of a workflow version, as rows and as values, by name and node."""
    row, choice = m.WorkflowSlot, m.WorkflowSlotChoice
    graph = session.get_one(m.WorkflowVersion, version_id).graph
    rows = list(
        session.scalars(
            sa.select(row).where(row.workflow_version_id == version_id).order_by(row.name, row.node_id, row.input_name)
        )
    )
    choices: dict[uuid.UUID, list[str]] = {}
    query = sa.select(choice.slot_id, choice.value).join(row, row.id == choice.slot_id)
    for key, value in session.execute(query.where(row.workflow_version_id == version_id).order_by(choice.position)):
        choices.setdefault(key, []).append(value)
    return [
        (one, _slot(one, graph, tuple(choices.get(one.id, ()))))
        for one in rows
        if one.input_name in graph.get(one.node_id, {}).get("inputs", {})
    ]


def slots_of(session: Session, version_id: uuid.UUID) -> tuple[Slot, ...]:
    """Return the slots of a workflow version, by name and node: what a value can be given to."""
    return tuple(slot for _, slot in rows_of(session, version_id))


def known_slots(session: Session, version_id: uuid.UUID) -> list[KnownSlot]:
    """Return the slots of a workflow version with what people made of them."""
    return [KnownSlot(slot, row.found_name, row.has_own_range) for row, slot in rows_of(session, version_id)]


def store(session: Session, version_id: uuid.UUID, known: Sequence[KnownSlot]) -> None:
    """Write the slots of a new workflow version."""
    for one in known:
        slot = one.slot
        row = m.WorkflowSlot(
            workflow_version_id=version_id, name=slot.name, node_id=slot.node_id, input_name=slot.input_name,
            slot_type_id=SlotType(slot.type.value), found_name=one.found_name, label=slot.label,
            is_hidden=slot.is_hidden, default_value=slot.default if slot.has_own_default else None,
            class_default=slot.class_default, minimum=_decimal(slot.minimum), maximum=_decimal(slot.maximum),
            step=_decimal(slot.step), has_own_range=one.has_own_range,
        )  # fmt: skip
        session.add(row)
        session.flush()
        _set_choices(session, row.id, slot.choices)
    session.flush()


def specs_of_workers(session: Session, classes: set[str]) -> dict[str, Any]:
    """Return what workers say of node classes, as `/object_info` has it, from what was read of them last.

    Where several have a class, the first by name is believed.
    """
    row = m.WorkerNodeClass
    query = (
        sa.select(row.name, row.spec)
        .join(m.Worker, m.Worker.id == row.worker_id)
        .where(row.name.in_(classes), row.spec.is_not(None), m.Worker.status_id != WorkerStatus.REMOVED)
        .order_by(m.Worker.name.desc())
    )
    return dict(session.execute(query).all())


def setters(session: Session, version_id: uuid.UUID) -> dict[str, list[str]]:
    """Return who sets a slot of a workflow version, by the slot's name: scene types, and takes that wait.

    Scene types count whose newest version refers to it, and those whose earlier one has scenes.
    """
    version, value, other = m.SceneTypeVersion, m.SceneTypeSlotValue, sa.orm.aliased(m.SceneTypeVersion)
    newest = sa.select(sa.func.max(other.number)).where(other.scene_type_id == version.scene_type_id)
    planned = sa.select(m.Scene.id).where(m.Scene.scene_type_version_id == version.id).correlate(version).exists()
    query = (
        sa.select(value.slot, m.SceneType.name)
        .join(version, version.id == value.scene_type_version_id)
        .join(m.SceneType, m.SceneType.id == version.scene_type_id)
        .where(version.workflow_version_id == version_id,
               sa.or_(version.number == newest.correlate(version).scalar_subquery(), planned))
        .distinct().order_by(m.SceneType.name)
    )  # fmt: skip
    found: dict[str, list[str]] = {}
    for name, scene_type in session.execute(query):
        found.setdefault(name, []).append(f"scene type '{scene_type}'")
    overrides = sa.select(m.TakeOverride.slot).where(
        m.TakeOverride.take_id.in_(_takes_of(version_id).where(m.Take.receipt_id.is_(None)))
    )
    for name in session.scalars(overrides.distinct()):
        found.setdefault(name, []).append("a take")
    return found


def change(
    session: Session, actor: Actor, version: m.WorkflowVersion, name: str, changes: Mapping[str, Any],
    node_id: str | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Change what people may change of a slot (of all of that name, or the one of a node); returns what was before.

    A new name goes into the scene types and takes that set the slot.

    Args:
        session: an open session.
        actor: who acts.
        version: the workflow version.
        name: the slot.
        changes: of ``name``, ``label``, ``is_hidden``, ``default`` (None: the file's), ``minimum``, ``maximum``,
            ``step`` and ``choices``; what is absent stays.
        node_id: only the slot of this node.

    Raises:
        NotFoundError: no such slot.
        InvalidInputError: a change that does not fit; the message names slot, value and range.
        ConflictError: another slot has the name.
        RefusedError: it would be hidden, and X121 fills it or a scene type sets it.
    """
    actor.require(Permission.MANAGE_RECIPES)
    session.execute(sa.select(m.WorkflowVersion.id).where(m.WorkflowVersion.id == version.id).with_for_update())
    every = rows_of(session, version.id)
    chosen = _chosen(version, every, name, node_id)
    changes = checked_changes(name, changes)
    before = [_facts(row, slot) for row, slot in chosen]
    if changes.get("is_hidden"):
        _check_hiding(session, version, name)
    new_name = changes.get("name", name)
    if new_name != name:
        _check_name(new_name, [slot for row, slot in every if all(row is not c for c, _ in chosen)], chosen[0][1])
    for row, slot in chosen:
        _apply(session, row, slot, changes)
    if new_name != name and not any(slot.name == name for row, slot in every if all(row is not c for c, _ in chosen)):
        _rename_values(session, version.id, name, new_name)
    session.flush()
    _tell(session, actor, ("workflow_slot.change", new_name), version, before[0], dict(changes))
    return before


def add(
    session: Session, actor: Actor, version: m.WorkflowVersion, node_id: str, input_name: str,
    changes: Mapping[str, Any],
) -> Slot:  # fmt: skip
    """Make an input of a node a slot, with the range that a worker says of it; returns it.

    ``changes`` are those of `change`; without a name the input's own is taken, with the node's id where that is taken.

    Raises:
        NotFoundError: the graph has no such node or input.
        ConflictError: it is a slot already, or the name is taken.
        InvalidInputError: the input takes a link, or a value that is no number, text or switch.
    """
    actor.require(Permission.MANAGE_RECIPES)
    session.execute(sa.select(m.WorkflowVersion.id).where(m.WorkflowVersion.id == version.id).with_for_update())
    every = rows_of(session, version.id)
    if len(every) >= _MOST_SLOTS:
        raise RefusedError(f"A workflow has at most {_MOST_SLOTS} slots.", hint="Remove one first.")
    taken = next((slot for _, slot in every if (slot.node_id, slot.input_name) == (node_id, input_name)), None)
    if taken is not None:
        raise ConflictError(f"{input_name} of node {node_id} is the slot '{taken.name}' already.")
    slot = _new_slot(version.graph, node_id, input_name, specs_of_workers(session, set(_class_of(version, node_id))))
    names = {other.name for _, other in every}
    name = changes.get("name") or (input_name if input_name not in names else f"{input_name}_{node_id}")
    changes = checked_changes(name, {**changes, "name": checked_name(name)})
    _check_name(name, [other for _, other in every], slot)
    row = m.WorkflowSlot(
        workflow_version_id=version.id, name=name, node_id=node_id, input_name=input_name, slot_type_id=slot.type,
        found_name="", label="", is_hidden=False, class_default=slot.class_default, minimum=_decimal(slot.minimum),
        maximum=_decimal(slot.maximum), step=_decimal(slot.step), has_own_range=False,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _set_choices(session, row.id, slot.choices)
    _apply(session, row, replace(slot, name=name), changes)
    session.flush()
    _tell(session, actor, ("workflow_slot.add", name), version, None, {"node": node_id, "input": input_name})
    return next(found for known, found in rows_of(session, version.id) if known.id == row.id)


def remove(
    session: Session, actor: Actor, version: m.WorkflowVersion, name: str, node_id: str | None = None
) -> list[dict[str, Any]]:
    """Remove a slot that a person added; returns what it was.

    Raises:
        RefusedError: it was found in the file (hide it instead), or something sets it.
    """
    actor.require(Permission.MANAGE_RECIPES)
    session.execute(sa.select(m.WorkflowVersion.id).where(m.WorkflowVersion.id == version.id).with_for_update())
    chosen = _chosen(version, rows_of(session, version.id), name, node_id)
    if any(row.found_name for row, _ in chosen):
        raise RefusedError(f"Slot '{name}' was found in the file and can not be removed.", hint="Hide it instead.")
    if using := setters(session, version.id).get(name):
        raise RefusedError(f"Slot '{name}' can not be removed: {', '.join(using)} sets it.", hint="Take it out there.")
    before = [_facts(row, slot) for row, slot in chosen]
    for row, _ in chosen:
        session.delete(row)
    session.flush()
    _tell(session, actor, ("workflow_slot.remove", name), version, before[0], None)
    return before


def describe_again(session: Session, actor: Actor, version: m.WorkflowVersion) -> int:
    """Take ranges, choices and class defaults anew from what workers say; ranges that people set stay.

    Returns how many slots changed.
    """
    actor.require(Permission.MANAGE_RECIPES)
    specs = specs_of_workers(session, {node["class_type"] for node in version.graph.values()})
    changed = 0
    for row, slot in rows_of(session, version.id):
        now = described(slot, version.graph, specs)
        if row.has_own_range or now == slot:
            continue
        row.slot_type_id, row.class_default = now.type, now.class_default
        row.minimum, row.maximum, row.step = (_decimal(v) for v in (now.minimum, now.maximum, now.step))
        _set_choices(session, row.id, now.choices)
        changed += 1
    if changed:
        _tell(session, actor, ("workflow_slot.describe", ""), version, None, {"changed": changed})
    return changed


def _slot(row: m.WorkflowSlot, graph: Graph, choices: tuple[str, ...]) -> Slot:
    own = row.default_value is not None
    whole = row.slot_type_id == SlotType.INT
    low, high, step = (None if v is None else int(v) if whole else float(v)
                       for v in (row.minimum, row.maximum, row.step))  # fmt: skip
    return Slot(
        row.name, row.node_id, row.input_name, row.slot_type_id,
        row.default_value if own else graph[row.node_id]["inputs"][row.input_name], low, high, row.class_default,
        step, choices, row.label, row.is_hidden, own,
    )  # fmt: skip


def _chosen(
    version: m.WorkflowVersion, every: Sequence[tuple[m.WorkflowSlot, Slot]], name: str, node_id: str | None
) -> list[tuple[m.WorkflowSlot, Slot]]:
    found = [(row, slot) for row, slot in every if slot.name == name and node_id in (None, slot.node_id)]
    if not found:
        where = f" at node {node_id}" if node_id is not None else ""
        known = ", ".join(dict.fromkeys(slot.name for _, slot in every)) or "none"
        raise NotFoundError(f"Version {version.number} has no slot '{name}'{where}.", hint=f"It has: {known}.")
    return found


def _check_hiding(session: Session, version: m.WorkflowVersion, name: str) -> None:
    if name in FILLED_SLOTS:
        raise RefusedError(f"Slot '{name}' is filled by X121 itself and can not be hidden.")
    if using := setters(session, version.id).get(name):
        raise RefusedError(f"Slot '{name}' can not be hidden: {', '.join(using)} sets it.", hint="Take it out there.")


def _check_name(name: str, others: Sequence[Slot], slot: Slot) -> None:
    for other in others:
        if other.name == name and (name not in _SHARED or other.type != slot.type):
            raise ConflictError(
                f"There is a slot '{name}' already: {other.input_name} of node {other.node_id}.",
                hint="Choose another name.",
            )


def _apply(session: Session, row: m.WorkflowSlot, slot: Slot, changes: Mapping[str, Any]) -> None:
    bounds = {key: changes[key] for key in ("minimum", "maximum", "step", "choices") if key in changes}
    changed = replace(
        slot, minimum=bounds.get("minimum", slot.minimum), maximum=bounds.get("maximum", slot.maximum),
        step=bounds.get("step", slot.step), choices=tuple(bounds.get("choices", slot.choices)),
    )  # fmt: skip
    if changed.minimum is not None and changed.maximum is not None and changed.minimum > changed.maximum:
        raise InvalidInputError(f"Slot '{slot.name}': {changed.minimum} to {changed.maximum} is no range.")
    if bounds and changed.type not in (SlotType.INT, SlotType.FLOAT) and set(bounds) - {"choices"}:
        raise InvalidInputError(f"Slot '{slot.name}' takes no number, so it has no range.")
    if "default" in changes:
        given = changes["default"]
        row.default_value = None if given is None else check_value(changed, parsed(changed, given))
    elif bounds and slot.has_own_default:
        check_value(changed, slot.default)
    if bounds:
        row.minimum, row.maximum, row.step = (_decimal(v) for v in (changed.minimum, changed.maximum, changed.step))
        row.has_own_range = True
        _set_choices(session, row.id, changed.choices)
    row.name, row.label = changes.get("name", row.name), changes.get("label", row.label)
    row.is_hidden = changes.get("is_hidden", row.is_hidden)


def _rename_values(session: Session, version_id: uuid.UUID, before: str, after: str) -> None:
    recipes = sa.select(m.SceneTypeVersion.id).where(m.SceneTypeVersion.workflow_version_id == version_id)
    value, override = m.SceneTypeSlotValue, m.TakeOverride
    session.execute(
        sa.update(value).where(value.scene_type_version_id.in_(recipes), value.slot == before).values(slot=after)
    )
    takes = _takes_of(version_id)
    session.execute(sa.update(override).where(override.take_id.in_(takes), override.slot == before).values(slot=after))


def _takes_of(version_id: uuid.UUID) -> sa.Select[uuid.UUID]:
    return (
        sa.select(m.Take.id)
        .join(m.Segment, m.Segment.id == m.Take.segment_id)
        .join(m.Scene, m.Scene.id == m.Segment.scene_id)
        .join(m.SceneTypeVersion, m.SceneTypeVersion.id == m.Scene.scene_type_version_id)
        .where(m.SceneTypeVersion.workflow_version_id == version_id)
    )


def _class_of(version: m.WorkflowVersion, node_id: str) -> tuple[str, ...]:
    return (version.graph[node_id]["class_type"],) if node_id in version.graph else ()


def _new_slot(graph: Graph, node_id: str, input_name: str, specs: Mapping[str, Any]) -> Slot:
    if node_id not in graph:
        raise NotFoundError(f"The graph has no node {node_id}.", hint="'x121 workflow show' lists the nodes.")
    node = graph[node_id]
    where = f"node {node_id} ({node['class_type']})"
    if input_name not in node["inputs"]:
        known = ", ".join(name for name, value in node["inputs"].items() if not is_link(value))
        raise NotFoundError(f"{where} has no input '{input_name}'.", hint=f"It has: {known or 'links only'}.")
    value = node["inputs"][input_name]
    if is_link(value) or not isinstance(value, bool | int | float | str):
        raise InvalidInputError(f"{input_name} of {where} takes no plain value, so it can be no slot.")
    spec = input_spec(specs, node["class_type"], input_name)
    of_value = {bool: SlotType.BOOLEAN, int: SlotType.INT, float: SlotType.FLOAT, str: SlotType.STRING}[type(value)]
    kind = spec.type if spec is not None and spec.type is not None else of_value
    return described(Slot(input_name, node_id, input_name, kind, value), graph, specs)


def _set_choices(session: Session, slot_id: uuid.UUID, choices: Sequence[str]) -> None:
    session.execute(sa.delete(m.WorkflowSlotChoice).where(m.WorkflowSlotChoice.slot_id == slot_id))
    session.add_all(m.WorkflowSlotChoice(slot_id=slot_id, position=n, value=v) for n, v in enumerate(choices))
    session.flush()


def _facts(row: m.WorkflowSlot, slot: Slot) -> dict[str, Any]:
    """Return what `change` takes to bring a slot back to what it is."""
    default = slot.default if slot.has_own_default else None
    facts = {
        "node_id": row.node_id,
        "input_name": row.input_name,
        "name": slot.name,
        "label": slot.label,
        "is_hidden": slot.is_hidden,
        "default": default,
        "minimum": slot.minimum,
        "maximum": slot.maximum,
        "step": slot.step,
        "choices": list(slot.choices),
    }
    return facts


def _tell(
    session: Session, actor: Actor, did: tuple[str, str], version: m.WorkflowVersion, before: Any, after: Any
) -> None:
    action, name = did
    facts = {"version": version.number, "slot": name}
    audit.record(session, actor, action, ("workflow", version.workflow_id),
                 before=before and {**facts, **before}, after={**facts, **(after or {})})  # fmt: skip
    outbox.publish(session, EventKind.WORKFLOW_SLOT_CHANGED, entity="workflow", entity_id=version.workflow_id,
                   payload=facts)  # fmt: skip


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))
