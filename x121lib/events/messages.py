"""What events say to people: which ones do, whom they concern, and in which words."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.events.outbox import EventRecord
from x121lib.store.session import among
from x121lib.terms.automation import NotificationKind
from x121lib.terms.roles import ROLE_PERMISSIONS, Permission
from x121lib.terms.vocabulary import EventKind, RoleName


@dataclass(frozen=True)
class Message:
    """Something to be told, before it is known who wants to hear it."""

    kind: NotificationKind
    """What it is about."""
    topic: str
    """Messages of one topic that come close together become one entry."""
    title: str
    """One line."""
    people: frozenset[uuid.UUID]
    """Whose matter it is."""
    body: str = ""
    """What happened and what to do."""
    href: str = ""
    """A page of the web door."""
    project_id: uuid.UUID | None = None
    """Project, where there is one."""
    event_id: int | None = None
    """The event that it comes from."""
    n_events: int = 1
    """How many things it stands for."""
    many: str = ""
    """The title for several, with ``{n}`` for how many."""
    href_of_many: str = ""
    """The page for several."""

    def title_of(self, n: int) -> str:
        """Return the title for ``n`` of them."""
        return self.many.replace("{n}", str(n)) if self.many else f"{self.title} ({n} times)"


def people_who_may(session: Session, permission: Permission) -> frozenset[uuid.UUID]:
    """Return the active people whose roles hold a permission."""
    roles = [role for role, held in ROLE_PERMISSIONS.items() if permission in held]
    return _people_of_roles(session, roles)


def people_of_role(session: Session, role: RoleName) -> frozenset[uuid.UUID]:
    """Return the active people of a role."""
    return _people_of_roles(session, [role])


def _people_of_roles(session: Session, roles: Sequence[RoleName]) -> frozenset[uuid.UUID]:
    query = sa.select(m.PersonRole.person_id).join(m.Person, m.Person.id == m.PersonRole.person_id)
    return frozenset(session.scalars(query.where(m.Person.is_active, m.PersonRole.role_id.in_(roles))))


def messages_of(session: Session, events: Sequence[EventRecord]) -> list[Message]:
    """Return what events say to people, in their order; those that say nothing are left out."""
    failed = _failures(session, [e for e in events if e.kind == EventKind.TASK_FAILED])
    found = []
    for event in events:
        if event.kind == EventKind.TASK_FAILED:
            message = failed.get(event.event_id)
        else:
            message = _WORDS[event.kind](session, event)
        if message is not None:
            found.append(message)
    return found


def _failed_rows(session: Session, task_ids: set[uuid.UUID]) -> Sequence[Any]:
    task, character = m.GpuTask, m.Character
    kind = sa.func.coalesce(m.Scene.variant_kind_id, m.ImageVariant.kind_id)
    return session.execute(
        sa.select(task, character.name, m.SceneType.name, m.VariantKind.name, m.Segment.sequence_index, m.Project.name)
        .join(m.Project, m.Project.id == task.project_id)
        .outerjoin(m.Take, m.Take.id == task.take_id)
        .outerjoin(m.Segment, m.Segment.id == m.Take.segment_id)
        .outerjoin(m.Scene, m.Scene.id == m.Segment.scene_id)
        .outerjoin(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .outerjoin(m.ImageVariant, m.ImageVariant.id == task.image_variant_id)
        .join(character, character.id == sa.func.coalesce(m.Scene.character_id, m.ImageVariant.character_id))
        .join(m.VariantKind, m.VariantKind.id == kind)
        .where(among(task.id, task_ids))
    ).all()


def _failures(session: Session, events: Sequence[EventRecord]) -> dict[int, Message]:
    if not events:
        return {}
    rows = _failed_rows(session, {e.entity_id for e in events})
    by_task = {row[0].id: row for row in rows}
    admins = people_who_may(session, Permission.MANAGE_WORKERS) if rows else frozenset()
    proposals = _proposals(session, set(by_task))
    found = {}
    for event in events:
        row = by_task.get(event.entity_id)
        if row is None:
            continue
        failed, who, scene_type, variant, segment, project = row
        parts = [who, *([scene_type] if scene_type else []), variant]
        place = f", segment {segment}" if segment is not None else ""
        owner = frozenset({failed.submitted_by_id}) if failed.submitted_by_id else admins
        found[event.event_id] = Message(
            NotificationKind.TASK_FAILED, f"task_failed:{failed.project_id}:{failed.error_code}",
            f"{' · '.join(parts)}{place} failed", owner,
            _reason(failed, proposals.get(failed.id, "")),
            f"/debugger?task={failed.id}", failed.project_id, event.event_id,
            many=f"{{n}} tasks failed in {project}", href_of_many="/queue",
        )  # fmt: skip
    return found


def _proposals(session: Session, task_ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return what to do about the newest failure of each task, where that is known."""
    attempt = m.GpuTaskAttempt
    rows = session.execute(
        sa.select(attempt.task_id, attempt.error_context)
        .where(among(attempt.task_id, task_ids), attempt.error_context.is_not(None))
        .order_by(attempt.number)
    )
    return {task_id: str((context or {}).get("proposal") or "") for task_id, context in rows}


def _reason(task: m.GpuTask, proposal: str) -> str:
    said = task.error_message or "No reason was given."
    return f"{said} What to do: {proposal}" if proposal else said


def _budget(session: Session, event: EventRecord) -> Message | None:
    holder = str(event.payload.get("holder", ""))
    people: frozenset[uuid.UUID] = frozenset()
    if event.project_id is not None:
        submitted = sa.select(m.Batch.submitted_by_id).where(m.Batch.project_id == event.project_id).distinct()
        people = frozenset(key for key in session.scalars(submitted) if key is not None)
        people |= people_who_may(session, Permission.MANAGE_BUDGETS)
    elif holder:
        people = frozenset({uuid.UUID(holder)})
    words = str(event.payload.get("message", "A budget has passed a threshold."))
    title = "A budget is used up" if event.kind == EventKind.BUDGET_USED_UP else "A budget is running out"
    return Message(
        NotificationKind.BUDGET, f"budget:{event.entity_id}:{holder}:{event.payload.get('percent')}", title, people,
        words, "/pulse", event.project_id, event.event_id,
    )  # fmt: skip


def _worker(session: Session, event: EventRecord) -> Message | None:
    facts = event.payload
    if event.kind == EventKind.WORKER_CHANGED and (
        facts.get("status") not in ("offline", "degraded") or facts.get("reason") == "Added."
    ):
        return None  # one that was just added has not answered yet
    row = session.get(m.Worker, event.entity_id)
    name = row.name if row is not None else str(facts.get("name", "A worker"))
    about = f"is {facts['status']}" if event.kind == EventKind.WORKER_CHANGED else "needs care"
    words = str(facts.get("reason") or facts.get("message") or facts.get("text") or "")
    return Message(
        NotificationKind.WORKER, f"worker:{event.entity_id}:{about}", f"{name} {about}",
        people_who_may(session, Permission.MANAGE_WORKERS), words, f"/workers?worker={event.entity_id}", None,
        event.event_id,
    )  # fmt: skip


def _webhook(session: Session, event: EventRecord) -> Message | None:
    name = str(event.payload.get("name", "A webhook"))
    return Message(
        NotificationKind.WEBHOOK, f"webhook:{event.entity_id}", f"The webhook {name} does not get through",
        people_who_may(session, Permission.MANAGE_WORKERS), str(event.payload.get("reason", "")), "/triggers", None,
        event.event_id, many=f"{{n}} messages to the webhook {name} were given up",
    )  # fmt: skip


def _escalated(session: Session, event: EventRecord) -> Message | None:
    row = session.execute(
        sa.select(m.Character.name, m.SceneType.name, m.VariantKind.name)
        .join(m.Scene, m.Scene.character_id == m.Character.id)
        .join(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .join(m.VariantKind, m.VariantKind.id == m.Scene.variant_kind_id)
        .where(m.Scene.id == event.entity_id)
    ).first()
    if row is None:
        return None
    submitted = (
        sa.select(m.Batch.submitted_by_id)
        .join(m.BatchScene, m.BatchScene.batch_id == m.Batch.id)
        .where(m.BatchScene.scene_id == event.entity_id, m.Batch.submitted_by_id.is_not(None))
    )
    people = frozenset(key for key in session.scalars(submitted) if key) | people_of_role(session, RoleName.REVIEWER)
    return Message(
        NotificationKind.ESCALATION, f"escalated:{event.project_id}",
        f"{' · '.join(row)}, segment {event.payload.get('segment')} needs a person", people,
        str(event.payload.get("reason", "")), f"/review?scene={event.entity_id}", event.project_id, event.event_id,
        many="{n} segments need a person", href_of_many="/review",
    )  # fmt: skip


def _trigger(session: Session, event: EventRecord) -> Message | None:
    facts = event.payload
    if facts.get("outcome") not in ("failed", "refused", "stopped") or not facts.get("person"):
        return None
    del session
    return Message(
        NotificationKind.TRIGGER, f"trigger:{event.entity_id}:{facts['outcome']}",
        f"The trigger '{facts['name']}' {'was' if facts['outcome'] != 'failed' else 'has'} {facts['outcome']}",
        frozenset({uuid.UUID(str(facts["person"]))}), str(facts.get("message", "")),
        f"/triggers?trigger={event.entity_id}", event.project_id, event.event_id,
    )  # fmt: skip


def _schedule(session: Session, event: EventRecord) -> Message | None:
    """Tell of a schedule that was refused, or whose time passed while no consumer ran."""
    facts, row = event.payload, session.get(m.Schedule, event.entity_id)
    said = str(facts.get("message", ""))
    if row is None or (facts.get("outcome") not in ("refused", "skipped") and "missed" not in said):
        return None
    did = "was refused" if facts.get("outcome") == "refused" else "missed its time"
    return Message(
        NotificationKind.SCHEDULE, f"schedule:{row.id}:{did}", f"The schedule '{row.name}' {did}",
        frozenset({row.person_id}), said, "/queue", event.project_id, event.event_id,
    )  # fmt: skip


_WORDS: dict[EventKind, Callable[[Session, EventRecord], Message | None]] = {
    EventKind.BUDGET_WARNED: _budget,
    EventKind.BUDGET_USED_UP: _budget,
    EventKind.WORKER_CHANGED: _worker,
    EventKind.WORKER_ALERTED: _worker,
    EventKind.WEBHOOK_FAILED: _webhook,
    EventKind.TRIGGER_FIRED: _trigger,
    EventKind.SEGMENT_ESCALATED: _escalated,
    EventKind.SCHEDULE_RAN: _schedule,
}
SOURCES: Collection[EventKind] = frozenset({EventKind.TASK_FAILED, *_WORDS})
"""Kinds of events that may say something to people."""


def addresses(session: Session, emails: Iterable[str]) -> dict[str, uuid.UUID]:
    """Return the key of each active person by e-mail address; unknown addresses are left out."""
    query = sa.select(m.Person.email, m.Person.id).where(m.Person.is_active, m.Person.email.in_(list(emails)))
    return {email: key for email, key in session.execute(query)}
