"""The activity feed: events in words, newest first."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.studio.pages import queries
from x121lib.studio.pages.desk import Desk
from x121lib.studio.pages.words import iso, many
from x121lib.terms.vocabulary import EventKind, SceneStatus

SHOWN = 40
"""Entries of the feed."""
_KINDS = (
    EventKind.PROJECT_CREATED, EventKind.CHARACTER_IMPORTED, EventKind.VARIANT_GENERATED, EventKind.VARIANT_APPROVED,
    EventKind.VARIANT_REJECTED, EventKind.SCENE_TYPE_LOADED, EventKind.BATCH_SUBMITTED, EventKind.TASK_FAILED,
    EventKind.TASK_LOST, EventKind.SCENE_STATUS_CHANGED, EventKind.DECISION_MADE, EventKind.DECISION_UNDONE,
    EventKind.RETAKE_QUEUED, EventKind.DELIVERY_WRITTEN, EventKind.WORKER_CHANGED, EventKind.RELEASE_ADDED,
    EventKind.RELEASE_REVOKED, EventKind.NOTE_ADDED,
)  # fmt: skip
_PLAIN: dict[EventKind, tuple[str, str]] = {
    EventKind.PROJECT_CREATED: ("info", "created the project"),
    EventKind.CHARACTER_IMPORTED: ("info", "imported"),
    EventKind.VARIANT_GENERATED: ("review", "made an image of"),
    EventKind.VARIANT_APPROVED: ("approved", "approved the image of"),
    EventKind.VARIANT_REJECTED: ("rejected", "rejected the image of"),
    EventKind.SCENE_TYPE_LOADED: ("info", "loaded the scene type"),
    EventKind.TASK_FAILED: ("failed", "failed"),
    EventKind.TASK_LOST: ("warning", "lost a take of"),
    EventKind.DECISION_UNDONE: ("review", "took back the decision on"),
    EventKind.RETAKE_QUEUED: ("pending", "queued a retake of"),
    EventKind.DELIVERY_WRITTEN: ("approved", "wrote a delivery"),
    EventKind.RELEASE_ADDED: ("approved", "recorded a release of"),
    EventKind.RELEASE_REVOKED: ("blocked", "revoked a release of"),
    EventKind.NOTE_ADDED: ("info", "wrote a note on"),
}
_DECIDED = {"approve": ("approved", "approved"), "reject": ("rejected", "rejected"), "flag": ("warning", "flagged")}
_MOVED = {
    SceneStatus.REVIEW.value: ("review", "sent to review"), SceneStatus.FAILED.value: ("failed", "stopped"),
}  # fmt: skip


def feed(desk: Desk) -> list[dict[str, Any]]:
    """Return the newest events of the project and of the whole studio."""
    events = _events(desk)
    names = _Names(desk.session, events)
    people = _actors(desk.session, [e.entity_id for e in events])
    items = (_item(desk, event, names, people.get(event.entity_id)) for event in events)
    return [item for item in items if item is not None][:SHOWN]


def _events(desk: Desk) -> list[m.Event]:
    moved = sa.and_(
        m.Event.kind_id == EventKind.SCENE_STATUS_CHANGED, m.Event.payload["to"].astext.not_in(list(_MOVED))
    )
    here = sa.or_(m.Event.project_id == desk.project_id, m.Event.project_id.is_(None))
    query = sa.select(m.Event).where(m.Event.kind_id.in_(_KINDS), here, ~moved)
    return list(desk.session.scalars(query.order_by(m.Event.id.desc()).limit(SHOWN)))


def _actors(session: Session, entity_ids: list[uuid.UUID]) -> dict[uuid.UUID | None, str]:
    """Return who acted last on each thing: events do not say, the audit log does."""
    entry = m.AuditEntry
    query = sa.select(entry.entity_id, entry.actor_name).where(entry.entity_id.in_(entity_ids)).order_by(entry.id)
    return dict(session.execute(query).all())


class _Names:
    """What events are about, in words; a few statements for all of them."""

    def __init__(self, session: Session, events: list[m.Event]) -> None:
        self._session = session
        by_entity: dict[str, list[uuid.UUID]] = {}
        for event in events:
            by_entity.setdefault(event.entity, []).append(event.entity_id)
        told = [uuid.UUID(e.payload["scene_id"]) for e in events if "scene_id" in e.payload]
        tasks = self._task_scenes(by_entity.get("gpu_task", []))
        scenes = queries.scene_names(session, [*by_entity.get("scene", []), *told, *tasks.values()])
        self._scenes = {k: f"{r['character']} · {r['scene_type']} · {r['variant']}" for k, r in scenes.items()}
        self._things = {k: self._scenes.get(v, "") for k, v in tasks.items()}
        self._things |= self._variants(by_entity.get("image_variant", []))
        self._things |= self._performers(by_entity.get("likeness_release", []))

    def of(self, event: m.Event) -> str:
        """Return what an event is about."""
        if "scene_id" in event.payload:
            return self._scenes.get(uuid.UUID(event.payload["scene_id"]), "a scene")
        found = self._scenes.get(event.entity_id) or self._things.get(event.entity_id)
        return found or str(event.payload.get("name", "")) or "an image"

    def _task_scenes(self, keys: list[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
        query = (
            sa.select(m.GpuTask.id, m.Segment.scene_id)
            .join(m.Take, m.Take.id == m.GpuTask.take_id)
            .join(m.Segment, m.Segment.id == m.Take.segment_id)
            .where(m.GpuTask.id.in_(keys))
        )
        return dict(self._session.execute(query).all())

    def _variants(self, keys: list[uuid.UUID]) -> dict[uuid.UUID, str]:
        query = (
            sa.select(m.ImageVariant.id, m.Character.name, m.VariantKind.name)
            .join(m.Character, m.Character.id == m.ImageVariant.character_id)
            .join(m.VariantKind, m.VariantKind.id == m.ImageVariant.kind_id)
            .where(m.ImageVariant.id.in_(keys))
        )
        return {key: f"{character} · {kind}" for key, character, kind in self._session.execute(query)}

    def _performers(self, keys: list[uuid.UUID]) -> dict[uuid.UUID, str]:
        query = (
            sa.select(m.LikenessRelease.id, m.Performer.name)
            .join(m.Performer, m.Performer.id == m.LikenessRelease.performer_id)
            .where(m.LikenessRelease.id.in_(keys))
        )
        return dict(self._session.execute(query).all())


def _item(desk: Desk, event: m.Event, names: _Names, actor: str | None) -> dict[str, Any] | None:
    kind, facts = event.kind_id, event.payload
    who, what, more = actor or "X121", names.of(event), ""
    if kind == EventKind.DECISION_MADE:
        status, verb = _DECIDED.get(facts.get("outcome", ""), ("info", "decided on"))
        who = str(facts.get("by", who))
    elif kind == EventKind.SCENE_STATUS_CHANGED:
        who, (status, verb), more = "X121", _MOVED[facts["to"]], str(facts.get("reason") or "")
    elif kind == EventKind.BATCH_SUBMITTED:
        status, verb, who = "pending", "submitted", str(facts.get("by", who))
        what, more = many(int(facts.get("scenes", 0)), "scene"), many(int(facts.get("takes", 0)), "take")
    elif kind == EventKind.WORKER_CHANGED:
        who, verb, what = str(facts.get("name", "A worker")), f"is {facts.get('status', 'changed')}", ""
        status = {"online": "approved", "offline": "failed", "degraded": "warning"}.get(facts.get("status", ""), "none")
    else:
        status, verb = _PLAIN[kind]
        who = str(facts.get("by", who)) if kind == EventKind.NOTE_ADDED else who
        what, more = _plain(kind, facts, what)
    return {
        "id": str(event.id), "status": status, "who": who, "verb": verb, "what": what, "more": more,
        "at": iso(event.created_at), "mine": who == desk.person.name, "problem": status in ("failed", "warning"),
    }  # fmt: skip


def _plain(kind: EventKind, facts: dict[str, Any], what: str) -> tuple[str, str]:
    if kind == EventKind.DELIVERY_WRITTEN:
        return many(int(facts.get("files", 0)), "file"), str(facts.get("path", "")).rsplit("/", 1)[-1]
    if kind == EventKind.RETAKE_QUEUED:
        return what, f"from segment {facts.get('from_segment')}, {many(int(facts.get('takes', 0)), 'take')}"
    if kind == EventKind.NOTE_ADDED and facts.get("frame") is not None:
        return what, f"frame {facts['frame']}"
    return what, ""
