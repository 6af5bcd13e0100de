"""What triggers did: each firing with its cause, its actions and what followed from it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.events import outbox
from x121lib.pipeline import subjects, triggers
from x121lib.pipeline.trigger_matching import try_rule_of
from x121lib.pipeline.trigger_rules import Rule
from x121lib.terms.vocabulary import EventKind

_QUIET = (EventKind.NOTIFICATION_MADE, EventKind.TASK_QUEUED, EventKind.TRIGGER_FIRED)
"""Effects that are only counted: they come in numbers, or say what the log says already."""


def rows(
    session: Session, *, trigger_id: uuid.UUID | None = None, scene_id: uuid.UUID | None = None,
    task_id: uuid.UUID | None = None, limit: int = 100,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the newest firings, of one trigger, one scene, or the one that queued a task."""
    firing = m.TriggerFiring
    query = sa.select(firing).order_by(firing.created_at.desc(), firing.id.desc()).limit(limit)
    if trigger_id is not None:
        query = query.where(firing.trigger_id == trigger_id)
    if scene_id is not None:
        query = query.where(sa.or_(firing.scene_id == scene_id, firing.id.in_(_that_touched(scene_id, "scene"))))
    if task_id is not None:
        query = query.where(firing.id.in_(_that_touched(task_id, "gpu_task")))
    return [_row(session, row) for row in session.scalars(query)]


def _that_touched(key: uuid.UUID, entity: str) -> sa.Select[uuid.UUID]:
    return (
        sa.select(m.EventCause.firing_id)
        .join(m.Event, m.Event.id == m.EventCause.event_id)
        .where(m.Event.entity_id == key, m.Event.entity == entity)
    )


def trigger_of(session: Session, entity: str, key: uuid.UUID) -> tuple[uuid.UUID, str] | None:
    """Return (key, name) of the trigger that last set a task (``gpu_task``) or scene (``scene``) going; None: none."""
    row = session.execute(
        sa.select(m.Trigger.id, m.Trigger.name)
        .join(m.TriggerFiring, m.TriggerFiring.trigger_id == m.Trigger.id)
        .where(m.TriggerFiring.id.in_(_that_touched(key, entity)))
        .order_by(m.TriggerFiring.created_at.desc())
        .limit(1)
    ).first()
    return (row[0], row[1]) if row is not None else None


def _row(session: Session, firing: m.TriggerFiring) -> dict[str, Any]:
    event = outbox.find(session, firing.event_id)
    parent = session.get(m.TriggerFiring, firing.parent_id) if firing.parent_id is not None else None
    person = session.get(m.Person, firing.person_id) if firing.person_id is not None else None
    return {
        "firing_id": firing.id, "at": firing.created_at, "trigger": _name(session, firing),
        "trigger_id": firing.trigger_id, "event_id": firing.event_id, "event": event.kind.value if event else "",
        "about": subjects.read(session, event).what if event else "", "depth": firing.depth,
        "after": _name(session, parent) if parent is not None else None,
        "after_firing_id": parent.id if parent is not None else None,
        "branch": "otherwise" if firing.is_otherwise else "do", "by": person.name if person else None,
        "status": firing.status_id.value, "message": firing.message,
        "actions": [
            {"action": s.action_id.value, "status": s.status_id.value, "said": s.message}
            for s in triggers.steps(session, firing.id)
        ],
        "effects": _effects(session, firing.id), "finished_at": firing.finished_at,
    }  # fmt: skip


def _name(session: Session, firing: m.TriggerFiring) -> str:
    return session.get_one(m.Trigger, firing.trigger_id).name


def _effects(session: Session, firing_id: uuid.UUID) -> list[str]:
    """Return what followed, in words: events of its actions, triggers that these set off in turn."""
    found = session.execute(
        sa.select(m.Event.kind_id, sa.func.count(), sa.func.min(m.Event.id))
        .join(m.EventCause, m.EventCause.event_id == m.Event.id)
        .where(m.EventCause.firing_id == firing_id)
        .group_by(m.Event.kind_id)
        .order_by(sa.func.min(m.Event.id))
    ).all()
    words = []
    for kind, n, first in found:
        event = outbox.find(session, first)
        if n == 1 and kind not in _QUIET and event is not None:
            to = f" to {event.payload['to']}" if "to" in event.payload else ""
            words.append(f"{kind.value}{to}: {subjects.read(session, event).what}")
        else:
            words.append(f"{n} × {kind.value}")
    children = session.execute(
        sa.select(m.Trigger.name, m.TriggerFiring.status_id)
        .join(m.TriggerFiring, m.TriggerFiring.trigger_id == m.Trigger.id)
        .where(m.TriggerFiring.parent_id == firing_id)
        .order_by(m.TriggerFiring.created_at)
    )
    return words + [f"set off '{name}' ({status.value})" for name, status in children]


def listing(session: Session, found: Sequence[m.Trigger]) -> list[dict[str, Any]]:
    """Return one row per trigger: its rule in words, whose rights it has, how often it fired.

    One whose rule this version can not read is disabled, says why under ``unreadable``, and has no parts.
    """
    firing = m.TriggerFiring
    counts = dict(
        session.execute(
            sa.select(firing.trigger_id, sa.func.count()).group_by(firing.trigger_id)
        ).all()
    )  # fmt: skip
    data = []
    for row in found:
        rule, unreadable = try_rule_of(row)
        acts = row.is_enabled and rule is not None
        last = session.scalars(
            sa.select(firing).where(firing.trigger_id == row.id).order_by(firing.created_at.desc()).limit(1)
        ).first()
        owner = session.get(m.Person, row.enabled_by_id) if row.enabled_by_id is not None else None
        data.append(
            {
                "trigger_id": row.id, "trigger": row.name, "enabled": acts, "event": row.event_kind_id.value,
                "scope": scope_words(session, row), **_parts(rule), "unreadable": unreadable,
                "acts_as": owner.name if owner and acts else None,
                "fired": counts.get(row.id, 0), "last_at": last.created_at if last else None,
                "last": last.status_id.value if last else None,
            }
        )  # fmt: skip
    return data


def _parts(rule: Rule | None) -> dict[str, Any]:
    if rule is None:
        return {"when": [], "if": [], "do": [], "otherwise": [], "costs_gpu_time": False, "at_most": None,
                "description": ""}  # fmt: skip
    return {
        "when": [c.words() for c in rule.when], "if": [c.words() for c in rule.if_],
        "do": [a.action for a in rule.do], "otherwise": [a.action for a in rule.otherwise],
        "costs_gpu_time": rule.is_costly, "at_most": rule.at_most, "description": rule.description,
    }  # fmt: skip


def scope_words(session: Session, row: m.Trigger) -> str:
    """Return whose events a trigger listens to, in words."""
    tables: tuple[tuple[Any, uuid.UUID | None], ...] = (
        (m.Project, row.project_id), (m.Character, row.character_id), (m.SceneType, row.scene_type_id)
    )  # fmt: skip
    names = [str(session.get_one(table, key).name) for table, key in tables if key is not None]
    return " / ".join(names) or "studio"
