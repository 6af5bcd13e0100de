"""What a trigger's actions do, and what they would do. Each works in the caller's transaction as an actor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.access import rights
from x121lib.base.errors import RefusedError, X121Error
from x121lib.events import messages, notifications, webhooks
from x121lib.events.messages import Message
from x121lib.pipeline import flow, subjects, submission
from x121lib.pipeline.subjects import Subject
from x121lib.pipeline.submission import Selection, Submission
from x121lib.pipeline.trigger_rules import PLACEHOLDER, Action, CallWebhook, Deliver, Notify, Retake, Submit
from x121lib.store import audit
from x121lib.terms.automation import NotificationKind
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import ReleasePurpose, RoleName, SceneStatus


@dataclass(frozen=True)
class Given:
    """What an action acts on."""

    trigger: m.Trigger
    """The trigger."""
    subject: Subject
    """What the event is about."""
    actor: Actor
    """As whom it acts."""
    now: datetime
    """The time."""


def submit(session: Session, given: Given, action: Submit) -> str:
    """Queue scenes; what is blocked is left out and counted. Returns what was done, in words.

    Raises:
        RefusedError: everything is blocked, a budget has no room, there is no such scene, or the project is gone.
    """
    project = _project(session, given.subject, lock=True)
    done = submission.submit(session, given.actor, project, _selection(given.subject, action), given.now)
    return _submitted(done)


def _project(session: Session, subject: Subject, *, lock: bool) -> m.Project:
    subject.name("project")
    found = session.get(m.Project, subject.project_id, with_for_update=lock or None)
    if found is None:
        raise RefusedError("The project is gone.")
    return found


def _selection(subject: Subject, action: Submit) -> Selection:
    def chosen(wanted: str | tuple[str, ...], same: str) -> tuple[str, ...]:
        if isinstance(wanted, tuple):
            return wanted
        return (subject.name(same),) if wanted == "same" else ()

    return Selection(
        characters=chosen(action.characters, "character"), scene_types=chosen(action.scene_types, "scene_type"),
        variants=chosen(action.variants, "variant"), tier=action.tier, priority_class=action.priority,
        off_peak=action.off_peak, skip_blocked=True,
    )  # fmt: skip


def _submitted(done: Submission) -> str:
    if not done.planned:
        return "No scene was left to submit."
    names = ", ".join(str(cell) for cell in done.planned[:4]) + (" …" if len(done.planned) > 4 else "")
    words = f"{_many(len(done.planned), 'scene')}: {names}"
    if done.blocked:
        words += f"; {len(done.blocked)} blocked: {done.blocked[0].blocked}"
    return ". ".join([words, *(text.rstrip(".") for text in done.budgets)]) + "."


def retake(session: Session, given: Given, action: Retake) -> str:
    """Queue new takes of the scene; returns what was done, in words.

    Raises:
        ForbiddenError: the actor may not submit.
        RefusedError: the scene is being generated, a release does not cover it, or a budget has no room.
    """
    scene, segment = _retaken(session, given, action, lock=True)
    tasks = flow.retake(session, scene, segment, given.actor.person_id, given.now, given.actor)
    facts = {"from_segment": segment, "takes": len(tasks), "trigger": given.trigger.name}
    audit.record(session, given.actor, "scene.retake", ("scene", scene.id), after=facts)
    return f"{_many(len(tasks), 'take')} from segment {segment} of {given.subject.what}."


def _retaken(session: Session, given: Given, action: Retake, *, lock: bool) -> tuple[m.Scene, int]:
    given.actor.require(Permission.SUBMIT)
    scene = session.get(m.Scene, given.subject.scene_id, with_for_update=lock or None)
    if scene is None:
        raise RefusedError("The scene is gone.")
    if scene.status_id == SceneStatus.GENERATING:
        raise RefusedError("The scene is being generated.")
    use = rights.Use(
        scene.character_id, scene.variant_kind_id, scene.project_id, ReleasePurpose.GENERATE, scene.transition_mode_id
    )
    rights.require_cover_of(session, [use], given.now)
    return scene, action.from_segment or given.subject.segment or 1


def notify(session: Session, given: Given, action: Notify) -> str:
    """Write into people's inboxes; returns whom it told, in words."""
    people = _people(session, given, action)
    title = _filled(session, given, action.text)
    message = Message(
        NotificationKind.TRIGGER, f"trigger:{given.trigger.id}:{title}", title, people,
        f"The trigger '{given.trigger.name}', because of {given.subject.event.kind.value}.",
        f"/triggers?trigger={given.trigger.id}", given.subject.project_id, given.subject.event.event_id,
    )  # fmt: skip
    told = notifications.send(session, message, given.now)
    return f"{len(told)} of {_many(len(people), 'person', 'people')} told: {title}"


def _people(session: Session, given: Given, action: Notify) -> frozenset[Any]:
    found: frozenset[Any] = frozenset()
    for name in action.to:
        if name == "owner":
            found |= {given.trigger.enabled_by_id} - {None}
        elif "@" in name:
            found |= frozenset(messages.addresses(session, [name]).values())
        else:
            found |= messages.people_of_role(session, RoleName(name))
    return found


def _filled(session: Session, given: Given, text: str) -> str:
    """Return a text with the fields in braces filled in; nothing else in it means anything."""
    own = {"trigger": given.trigger.name, "what": given.subject.what, "event": given.subject.event.kind.value}

    def fill(found: Any) -> str:
        name = found.group(1)
        value = own.get(name) or subjects.value(session, given.subject, name, given.now)
        return "?" if value is None else str(value)

    return PLACEHOLDER.sub(fill, text)


def call_webhook(session: Session, given: Given, action: CallWebhook) -> str:
    """Write a message to a webhook, which is sent soon after; returns what was done, in words."""
    hook = webhooks.find(session, action.name)
    event = given.subject.event
    facts = {
        "event_id": event.event_id, "happened_at": event.created_at, "trigger": given.trigger.name,
        "about": dict(given.subject.names), "segment": given.subject.segment, "payload": event.payload,
    }  # fmt: skip
    row = webhooks.write(session, hook, event.kind.value, facts, given.now, event.event_id)
    return f"Message {row.id} to {hook.name}."


IN_ONE: dict[str, Callable[[Session, Given, Any], str]] = {
    "submit": submit, "retake": retake, "notify": notify, "webhook": call_webhook,
}  # fmt: skip
"""Actions that are one transaction; the others (assemble, deliver, rerun_qa) work on files."""


def would(session: Session, given: Given, action: Action) -> str:
    """Return what an action would do, in words; writes nothing."""
    try:
        return _would(session, given, action)
    except X121Error as error:
        return f"would fail: {error}"


def _would(session: Session, given: Given, action: Action) -> str:
    if isinstance(action, Submit):
        project = _project(session, given.subject, lock=False)
        chosen = _selection(given.subject, action)
        done = submission.submit(session, given.actor, project, chosen, given.now, dry_run=True)
        return f"would submit {_submitted(done)[:1].lower()}{_submitted(done)[1:]}"
    if isinstance(action, Retake):
        scene, segment = _retaken(session, given, action, lock=False)
        count = sa.select(sa.func.count()).where(m.Segment.scene_id == scene.id, m.Segment.sequence_index >= segment)
        return f"would queue {_many(int(session.scalar(count) or 0), 'take')} from segment {segment}"
    if isinstance(action, Notify):
        people = len(_people(session, given, action))
        return f"would tell {_many(people, 'person', 'people')}: {_filled(session, given, action.text)}"
    if isinstance(action, CallWebhook):
        hook = webhooks.find(session, action.name)
        return f"would send {given.subject.event.kind.value} to {hook.name}"
    if isinstance(action, Deliver):
        return _would_deliver(session, given, action)
    words = {"rerun_qa": "would examine again", "assemble": "would join the takes of"}
    return f"{words[action.action]} {given.subject.what}"


def _would_deliver(session: Session, given: Given, action: Deliver) -> str:
    given.actor.require(Permission.DELIVER)
    project = _project(session, given.subject, lock=False)
    names = delivered(given.subject, action)
    cells = submission.cells(session, project, Selection(tuple(names)), given.now)
    missing = [cell for cell in cells if cell.status != SceneStatus.APPROVED]
    who = ", ".join(names) or "all characters"
    if missing and not action.partial:
        return f"would fail: {len(missing)} of {len(cells)} scenes of {who} are not approved"
    return f"would deliver {len(cells) - len(missing)} of {len(cells)} scenes of {who}"


def delivered(subject: Subject, action: Deliver) -> list[str]:
    """Return the characters that a delivery is of; none: all."""
    if isinstance(action.characters, tuple):
        return list(action.characters)
    return [subject.name("character")] if action.characters == "same" else []


def _many(n: int, one: str, more: str | None = None) -> str:
    return f"{n} {one if n == 1 else more or f'{one}s'}"
