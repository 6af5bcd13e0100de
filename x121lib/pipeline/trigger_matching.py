"""Which triggers an event sets off, and from which firing an event came."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError
from x121lib.events.outbox import EventRecord
from x121lib.pipeline import subjects
from x121lib.pipeline.subjects import Counts, Subject
from x121lib.pipeline.trigger_rules import Action, Condition, Rule, parse
from x121lib.terms.vocabulary import EventKind


@dataclass(frozen=True)
class Match:
    """A trigger that an event sets off."""

    trigger: m.Trigger
    """The trigger."""
    rule: Rule
    """Its rule."""
    subject: Subject
    """What the event is about."""
    is_otherwise: bool
    """Whether its conditions under ``if`` do not hold."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions of the branch that is taken."""
        return self.rule.otherwise if self.is_otherwise else self.rule.do


def rule_of(trigger: m.Trigger) -> Rule:
    """Return a stored trigger's rule.

    Raises:
        InvalidInputError: this version can not read it; names the trigger, the place and what is wrong there.
    """
    source = f"The trigger '{trigger.name}'"
    stored: object = trigger.rule
    if not isinstance(stored, dict):
        raise InvalidInputError(f"{source}: its rule is no mapping.", hint="docs/triggers.md has every field.")
    return parse(stored, source)


def try_rule_of(trigger: m.Trigger) -> tuple[Rule | None, str]:
    """Return a stored trigger's rule and nothing more, or None and why this version can not read it."""
    try:
        return rule_of(trigger), ""
    except InvalidInputError as error:
        return None, error.message


def readable(triggers: Iterable[m.Trigger]) -> list[Rule]:
    """Return the rules of those triggers that can be read."""
    return [rule for rule, _ in map(try_rule_of, triggers) if rule is not None]


def living(session: Session, *, only_enabled: bool = False) -> Sequence[m.Trigger]:
    """Return the triggers that were not removed, by name."""
    query = sa.select(m.Trigger).where(m.Trigger.removed_at.is_(None)).order_by(m.Trigger.name)
    return session.scalars(query.where(m.Trigger.is_enabled) if only_enabled else query).all()


def match(
    session: Session, trigger: m.Trigger, event: EventRecord, now: datetime, counts: Counts | None = None
) -> Match | None:
    """Return the match of a trigger and an event; None where the event is none of its business.

    What was counted already is taken from ``counts``, and what is counted now is added to it.
    """
    if trigger.event_kind_id != event.kind:
        return None
    subject = subjects.read(session, event)
    for name in ("project_id", "character_id", "scene_type_id"):
        wanted: uuid.UUID | None = getattr(trigger, name)
        if wanted is not None and wanted != getattr(subject, name):
            return None
    rule = rule_of(trigger)

    def hold(conditions: Sequence[Condition]) -> bool:
        return all(c.holds(subjects.value(session, subject, c.field, now, counts)) for c in conditions)

    if not hold(rule.when):
        return None
    found = Match(trigger, rule, subject, is_otherwise=not hold(rule.if_))
    return found if found.actions else None


def cause_of(session: Session, subject: Subject) -> m.TriggerFiring | None:
    """Return the firing that an event followed from: directly, or by way of the scene that it set going.

    What a person did to the scene since (a decision, a submission, a retake) begins a new chain.
    """
    cause, event = m.EventCause, subject.event
    direct = sa.select(m.TriggerFiring).join(cause, cause.firing_id == m.TriggerFiring.id)
    found = session.scalars(direct.where(cause.event_id == event.event_id)).first()
    if found is not None or subject.scene_id is None:
        return found
    row = session.execute(
        sa.select(m.TriggerFiring, m.Event.id, m.Event.created_at)
        .join(cause, cause.firing_id == m.TriggerFiring.id)
        .join(m.Event, m.Event.id == cause.event_id)
        .where(m.Event.entity_id == subject.scene_id, m.Event.entity == "scene", m.Event.id < event.event_id)
        .order_by(m.Event.id.desc())
        .limit(1)
    ).first()
    if row is None or _person_stepped_in(session, subject, row[1], row[2]):
        return None
    firing: m.TriggerFiring = row[0]
    return firing


def _person_stepped_in(session: Session, subject: Subject, since_event: int, since: datetime) -> bool:
    decided = (
        sa.select(m.Decision.id)
        .join(m.SceneVersion, m.SceneVersion.id == m.Decision.scene_version_id)
        .where(m.SceneVersion.scene_id == subject.scene_id, m.Decision.created_at > since)
    )
    caused = sa.select(m.EventCause.event_id).where(m.EventCause.event_id == m.Event.id)
    retaken = sa.select(m.Event.id).where(
        m.Event.entity_id == subject.scene_id, m.Event.kind_id == EventKind.RETAKE_QUEUED, m.Event.id > since_event,
        m.Event.id < subject.event.event_id, ~caused.exists(),
        m.Event.payload["by"].astext.is_distinct_from("policy"),
    )  # fmt: skip
    submitted = (
        sa.select(m.Event.id)
        .join(m.BatchScene, m.BatchScene.batch_id == m.Event.entity_id)
        .where(
            m.BatchScene.scene_id == subject.scene_id, m.Event.kind_id == EventKind.BATCH_SUBMITTED,
            m.Event.id > since_event, ~caused.exists(),
        )
    )  # fmt: skip
    return any(session.scalar(sa.select(query.exists())) for query in (decided, retaken, submitted))


def ancestors(session: Session, firing: m.TriggerFiring | None) -> list[m.TriggerFiring]:
    """Return a firing and those that it followed from, the newest first."""
    found: list[m.TriggerFiring] = []
    while firing is not None and firing not in found:
        found.append(firing)
        firing = session.get(m.TriggerFiring, firing.parent_id) if firing.parent_id is not None else None
    return found
