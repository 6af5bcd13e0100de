"""Triggers as rows: added, enabled, set off by events exactly once, claimed, run by whoever calls, and logged.

`match_events` reads the outbox from its own position and writes firings in the same transaction as that position. A
firing is run by a process that holds its lease; each action that is one transaction is marked as done in that very
transaction, so a crash neither loses nor repeats it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.access.service import actor_for
from x121lib.base.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError, X121Error
from x121lib.base.ids import new_id
from x121lib.base.log import get_logger
from x121lib.events import notifications, outbox
from x121lib.events.messages import Message
from x121lib.events.outbox import EventRecord
from x121lib.pipeline import trigger_loops, trigger_names
from x121lib.pipeline.subjects import Counts
from x121lib.pipeline.trigger_matching import Match, ancestors, cause_of, living, match, readable, rule_of, try_rule_of
from x121lib.pipeline.trigger_rules import Rule
from x121lib.store import audit
from x121lib.terms.automation import ActionKind, NotificationKind, RunStatus
from x121lib.terms.roles import SYSTEM, Actor, Permission
from x121lib.terms.vocabulary import EventKind

_log = get_logger(__name__)
CONSUMER = "triggers"
"""Name of the reader in `EventCursor`."""
_LOOP_LOCK = 0x58313237
"""Advisory lock of those who add and enable triggers."""
CHANGED = "The trigger was changed before its turn came."
"""Why a firing of the rule before ends."""
LEASE_S = 60.0
"""Seconds without a word after which another process takes a firing over."""


# Rules


def add(session: Session, actor: Actor, rule: Rule) -> m.Trigger:
    """Add a trigger; one whose actions cost GPU time starts disabled, the others enabled. Audited.

    Raises:
        ForbiddenError: the actor may not manage triggers.
        ConflictError: there is one of that name.
        NotFoundError: a project, character, scene type, variant, tier or webhook that the rule names does not exist.
        RefusedError: enabled, it could loop without end.
    """
    actor.require(Permission.MANAGE_TRIGGERS)
    _take_turns(session)
    if _find(session, rule.name) is not None:
        raise ConflictError(f"There is a trigger '{rule.name}' already.", hint="Choose another name, or remove it.")
    row = m.Trigger(
        id=new_id(), name=rule.name, event_kind_id=rule.on, rule=rule.document(), created_by_id=actor.person_id,
        **trigger_names.scope(session, rule),
    )  # fmt: skip
    trigger_names.check(session, rule, row.project_id)
    session.add(row)
    session.flush()
    audit.record(session, actor, "trigger.add", ("trigger", row.id), after=row.rule)
    if not rule.is_costly and actor.person_id is not None:
        enable(session, actor, row)
    _tell(session, row)
    return row


def find(session: Session, name: str) -> m.Trigger:
    """Return a trigger by name or key; raises `NotFoundError`."""
    row = _find(session, name)
    if row is None:
        try:
            row = session.get(m.Trigger, uuid.UUID(name))
        except ValueError:
            row = None
    if row is None or row.removed_at is not None:
        raise NotFoundError(f"There is no trigger '{name}'.", hint="'x121 trigger list' shows the names.")
    return row


def _find(session: Session, name: str) -> m.Trigger | None:
    query = sa.select(m.Trigger).where(m.Trigger.name == name, m.Trigger.removed_at.is_(None))
    return session.scalars(query).one_or_none()


def enable(session: Session, actor: Actor, row: m.Trigger) -> None:
    """Let a trigger act from now on, with the rights of the actor. Audited; enabling it again changes whose.

    Raises:
        ForbiddenError: it costs GPU time and the actor is no Admin.
        RefusedError: it could loop without end together with the triggers that are enabled; names the loop.
    """
    actor.require(Permission.MANAGE_TRIGGERS)
    rule = rule_of(row)
    if rule.is_costly:
        actor.require(Permission.ENABLE_COSTLY_TRIGGERS)
    if actor.person_id is None:
        raise InvalidInputError("A trigger acts as the person who enables it.")
    _take_turns(session)
    others = readable(t for t in living(session, only_enabled=True) if t.id != row.id)
    if loop := trigger_loops.endless(rule, others):
        raise RefusedError(
            f"'{row.name}' could loop without end: {' → '.join(loop)}.",
            hint="Give one of them at_most, e.g. at_most = 3, or conditions that rule the loop out.",
            code="pipeline.trigger_loop",
        )
    row.is_enabled, row.enabled_by_id = True, actor.person_id
    row.enabled_at = session.scalars(sa.select(sa.func.now())).one()  # the clock that events are written by
    row.version += 1
    audit.record(session, actor, "trigger.enable", ("trigger", row.id), after={"name": row.name})
    _tell(session, row)


def change(session: Session, actor: Actor, row: m.Trigger, rule: Rule, now: datetime, version: int | None) -> None:
    """Give a trigger another rule. Audited; firings that wait end as refused, its log stays.

    It acts as whoever changed it: one that was enabled is enabled anew by the actor, or disabled where only an Admin
    may enable it. One whose rule could not be read stays disabled.

    Raises:
        ConflictError: there is another one of that name, or it was changed since ``version``.
        ForbiddenError, NotFoundError, RefusedError: as `add`.
    """
    actor.require(Permission.MANAGE_TRIGGERS)
    _take_turns(session)
    session.refresh(row, with_for_update=True)
    if version is not None and row.version != version:
        raise ConflictError(f"'{row.name}' was changed meanwhile.", hint="Look at it as it is now, and change that.")
    same = _find(session, rule.name)
    if same is not None and same.id != row.id:
        raise ConflictError(f"There is a trigger '{rule.name}' already.", hint="Choose another name.")
    where = trigger_names.scope(session, rule)
    trigger_names.check(session, rule, where["project_id"])
    waiting = sa.and_(m.TriggerFiring.trigger_id == row.id, m.TriggerFiring.status_id == RunStatus.WAITING)
    for key in session.scalars(sa.select(m.TriggerFiring.id).where(waiting)).all():
        finish(session, None, key, now, refused=CHANGED)
    before, was_enabled = row.rule, is_acting(row)
    row.name, row.event_kind_id, row.rule, row.is_enabled = rule.name, rule.on, rule.document(), False
    row.scope_id, row.project_id = where["scope_id"], where["project_id"]
    row.character_id, row.scene_type_id = where["character_id"], where["scene_type_id"]
    row.version += 1
    session.flush()
    audit.record(session, actor, "trigger.change", ("trigger", row.id), before=before, after=row.rule)
    if was_enabled and actor.person_id and (not rule.is_costly or actor.may(Permission.ENABLE_COSTLY_TRIGGERS)):
        enable(session, actor, row)
    _tell(session, row)


def is_acting(row: m.Trigger) -> bool:
    """Return whether a trigger acts: it is enabled, and its rule can be read."""
    return row.is_enabled and try_rule_of(row)[0] is not None


def _take_turns(session: Session) -> None:
    """Let those who add and enable triggers take turns until they commit: two that loop can not both pass."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOOP_LOCK)))


def disable(session: Session, actor: Actor, row: m.Trigger) -> None:
    """Let a trigger act no more; firings that wait are refused. Audited, idempotent."""
    actor.require(Permission.MANAGE_TRIGGERS)
    if row.is_enabled:
        _switch_off(session, actor, row)


def _switch_off(session: Session, actor: Actor, row: m.Trigger) -> None:
    row.is_enabled = False
    row.version += 1
    audit.record(session, actor, "trigger.disable", ("trigger", row.id), after={"name": row.name})
    _tell(session, row)


def remove(session: Session, actor: Actor, row: m.Trigger, now: datetime) -> None:
    """Remove a trigger; its log stays. Audited."""
    disable(session, actor, row)
    row.removed_at = now
    audit.record(session, actor, "trigger.remove", ("trigger", row.id), before=row.rule)
    _tell(session, row)


def _tell(session: Session, row: m.Trigger) -> None:
    facts = {"name": row.name, "enabled": row.is_enabled, "removed": row.removed_at is not None}
    outbox.publish(session, EventKind.TRIGGER_CHANGED, entity="trigger", entity_id=row.id,
                   project_id=row.project_id, payload=facts)  # fmt: skip


# Firings


def match_events(session: Session, now: datetime, most_depth: int, *, limit: int = 20) -> int:
    """Write the firings that new events call for; returns how many events were read.

    A chain that is too deep, or in which a trigger has fired as often as it may, is stopped and says so in the log. A
    trigger whose rule can not be matched is disabled, and whoever enabled it is told; the others fire all the same.
    What is counted (scenes that are not approved) is counted once per character or project, as of this call.
    """
    triggers = living(session, only_enabled=True)
    events = outbox.read(session, CONSUMER, kinds={t.event_kind_id for t in triggers}, limit=limit)
    counts: Counts = {}
    for event in events:
        for trigger in triggers:
            since = trigger.enabled_at
            if trigger.is_enabled and trigger.event_kind_id == event.kind and since and event.created_at >= since:
                _match_one(session, trigger, event, (now, most_depth, counts))
    return len(events)


def _match_one(
    session: Session, trigger: m.Trigger, event: EventRecord, given: tuple[datetime, int, Counts]
) -> None:  # fmt: skip
    now, most_depth, counts = given
    try:
        with session.begin_nested():
            found = match(session, trigger, event, now, counts)
            if found is not None:
                _write(session, found, now, most_depth)
    except sa.exc.OperationalError:  # the database's fault, not the trigger's
        raise
    except Exception as error:  # noqa: BLE001 - the log has it whole, the owner what it says
        _log.exception("trigger %s broke at event %s", trigger.id, event.event_id)
        _give_up(session, trigger, event, error, now)


def _give_up(session: Session, trigger: m.Trigger, event: EventRecord, error: Exception, now: datetime) -> None:
    """Disable a trigger that broke, and tell whoever enabled it."""
    why = str(error) if isinstance(error, X121Error) else f"{type(error).__name__}: {error}"
    _switch_off(session, SYSTEM, trigger)
    owner = frozenset([trigger.enabled_by_id] if trigger.enabled_by_id is not None else [])
    message = Message(
        NotificationKind.TRIGGER, f"trigger:{trigger.id}:broken", f"The trigger '{trigger.name}' was disabled", owner,
        f"It broke at event {event.event_id} ({event.kind.value}): {why} It acts no more; mend it and enable it again.",
        f"/triggers?trigger={trigger.id}", trigger.project_id, event.event_id,
    )  # fmt: skip
    notifications.send(session, message, now)


def _write(session: Session, found: Match, now: datetime, most_depth: int) -> None:
    parent = cause_of(session, found.subject)
    chain = ancestors(session, parent)
    depth = parent.depth + 1 if parent is not None else 1
    stopped = stopped_because(found.trigger, found.rule, chain, most_depth)
    key = session.scalar(
        insert(m.TriggerFiring)
        .values(
            id=new_id(), trigger_id=found.trigger.id, event_id=found.subject.event.event_id, depth=depth,
            parent_id=parent.id if parent is not None else None, person_id=found.trigger.enabled_by_id,
            scene_id=found.subject.scene_id, is_otherwise=found.is_otherwise, message=stopped, created_at=now,
            status_id=RunStatus.STOPPED if stopped else RunStatus.WAITING, finished_at=now if stopped else None,
        )
        .on_conflict_do_nothing(index_elements=["trigger_id", "event_id"])
        .returning(m.TriggerFiring.id)
    )  # fmt: skip
    if key is None:
        return
    status = RunStatus.SKIPPED if stopped else RunStatus.WAITING
    session.add_all(
        m.TriggerStep(firing_id=key, position=position, action_id=ActionKind(action.action), status_id=status)
        for position, action in enumerate(found.actions, start=1)
    )
    session.flush()
    if stopped:
        tell_fired(session, session.get_one(m.TriggerFiring, key), found.trigger)


def stopped_because(
    trigger: m.Trigger, rule: Rule, chain: Sequence[m.TriggerFiring], most_depth: int
) -> str:  # fmt: skip
    """Return why a chain ends here instead of going on; empty where it goes on."""
    if len(chain) >= most_depth:
        return f"Stopped: {len(chain)} triggers followed from each other already, and no more than {most_depth} may."
    times = sum(firing.trigger_id == trigger.id for firing in chain)
    if rule.at_most is not None and times >= rule.at_most:
        return f"Stopped: it has fired {times} times in this chain, and no more than {rule.at_most} may."
    return ""


def claim(session: Session, now: datetime) -> m.TriggerFiring | None:
    """Claim the firing that waits longest, or one whose process has died; None where there is none."""
    firing = m.TriggerFiring
    dead = sa.and_(firing.status_id == RunStatus.RUNNING, firing.lease_until < now)
    row = session.scalars(
        sa.select(firing)
        .where(sa.or_(firing.status_id == RunStatus.WAITING, dead))
        .order_by(firing.created_at, firing.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is not None:
        row.status_id, row.started_at = RunStatus.RUNNING, row.started_at or now
        row.lease_until = now + timedelta(seconds=LEASE_S)
    return row


def extend(session: Session, firing_id: uuid.UUID, now: datetime) -> None:
    """Keep a firing that runs."""
    firing = m.TriggerFiring
    session.execute(
        sa.update(firing)
        .where(firing.id == firing_id, firing.status_id == RunStatus.RUNNING)
        .values(lease_until=now + timedelta(seconds=LEASE_S))
    )


def acting(session: Session, firing: m.TriggerFiring) -> tuple[m.Trigger, Actor]:
    """Return the trigger of a firing and the actor as whom it acts, with the rights that this person has now.

    Raises:
        RefusedError: the trigger was disabled or removed since, or nobody stands for it any more.
        ForbiddenError: whoever enabled it was deactivated, or may not any more what enabling it takes.
    """
    trigger = session.get_one(m.Trigger, firing.trigger_id)
    if not trigger.is_enabled or trigger.removed_at is not None:
        raise RefusedError("The trigger was disabled before its turn came.")
    if trigger.enabled_by_id is None:
        raise RefusedError("Whoever enabled the trigger is gone.", hint="Somebody must enable it again.")
    actor = actor_for(session, trigger.enabled_by_id)
    actor.require(Permission.MANAGE_TRIGGERS)
    if rule_of(trigger).is_costly:
        actor.require(Permission.ENABLE_COSTLY_TRIGGERS)
    return trigger, actor


def steps(session: Session, firing_id: uuid.UUID, *, lock: bool = False) -> Sequence[m.TriggerStep]:
    """Return the actions of a firing in order."""
    query = sa.select(m.TriggerStep).where(m.TriggerStep.firing_id == firing_id).order_by(m.TriggerStep.position)
    return session.scalars(query.with_for_update() if lock else query).all()


def locked_step(session: Session, firing_id: uuid.UUID, position: int) -> m.TriggerStep:
    """Return an action of a firing, which nobody else ends until the caller's transaction is over."""
    return session.get_one(m.TriggerStep, (firing_id, position), with_for_update=True)


def end_step(
    session: Session, firing_id: uuid.UUID, position: int, status: RunStatus, message: str, now: datetime
) -> RunStatus:  # fmt: skip
    """Write what became of an action, unless it is over already; returns how it ended."""
    row = locked_step(session, firing_id, position)
    if not row.status_id.is_over:
        row.status_id, row.message, row.finished_at = status, message[:2000], now
    return row.status_id


def finish(
    session: Session, actor: Actor | None, firing_id: uuid.UUID, now: datetime, *, refused: str = "", broke: str = ""
) -> RunStatus:  # fmt: skip
    """Write how a firing ended, skip what did not get its turn, tell and audit it; returns how it ended.

    One that is over already stays as it ended: another process took it over when this one's lease ran out.
    """
    lock = {"key_share": True}  # events that an action publishes refer to the firing
    firing = session.get_one(m.TriggerFiring, firing_id, with_for_update=lock)
    if firing.status_id.is_over:
        return firing.status_id
    trigger = session.get_one(m.Trigger, firing.trigger_id)
    done = steps(session, firing_id, lock=True)
    for step in done:
        if not step.status_id.is_over:
            step.status_id, step.finished_at = RunStatus.SKIPPED, now
    failed = [s for s in done if s.status_id == RunStatus.FAILED]
    firing.status_id = RunStatus.REFUSED if refused else RunStatus.FAILED if failed or broke else RunStatus.DONE
    firing.message = (refused or broke or "; ".join(s.message for s in failed or done))[:2000]
    firing.finished_at, firing.lease_until = now, None
    session.flush()
    facts = {
        "event": firing.event_id, "depth": firing.depth, "outcome": firing.status_id.value,
        "actions": [{"action": s.action_id.value, "result": s.status_id.value, "said": s.message} for s in done],
    }  # fmt: skip
    who = actor or Actor(firing.person_id, f"trigger {trigger.name}", frozenset())
    audit.record(session, who, "trigger.fire", ("trigger", trigger.id), after=facts)
    tell_fired(session, firing, trigger)
    return firing.status_id


def tell_fired(session: Session, firing: m.TriggerFiring, trigger: m.Trigger) -> None:
    """Publish that a trigger fired, and how that ended."""
    facts = {
        "name": trigger.name, "outcome": firing.status_id.value, "message": firing.message, "firing": str(firing.id),
        "person": str(trigger.enabled_by_id) if trigger.enabled_by_id else None,
    }  # fmt: skip
    outbox.publish(session, EventKind.TRIGGER_FIRED, entity="trigger", entity_id=trigger.id,
                   project_id=trigger.project_id, payload=facts)  # fmt: skip
