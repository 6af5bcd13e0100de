"""Submissions that come again: set by people, run at their times exactly once, with what became of each time.

A due time is run in one transaction that holds the schedule's row, writes its run (one row per due time) and moves the
schedule to its next time, so that it happens once however many processes look. Every run submits as the schedule's
person with the roles held then: permission, likeness releases, approvals and budgets are checked as for a submission by
hand, and a refusal is the run's outcome.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.access import service as people
from x121lib.base.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, RefusedError, X121Error
from x121lib.base.ids import new_id
from x121lib.catalogue import queries as catalogue
from x121lib.events import outbox
from x121lib.pipeline import submission
from x121lib.pipeline.submission import Selection
from x121lib.scheduling import cron
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import EventKind, PriorityClass, ScheduleOutcome

LATE = timedelta(minutes=5)
"""Time after which a due time counts as missed; a tick looks twice a second."""


@dataclass(frozen=True)
class NewSchedule:
    """A schedule as a person asks for it. Empty selections mean *all*."""

    name: str
    """Its name; unique."""
    project: str
    """Name of the project."""
    cron: str
    """Five fields, or a shortcut; see `scheduling.cron`."""
    zone: str
    """A time zone by its IANA name."""
    characters: tuple[str, ...] = ()
    """Names of characters."""
    scene_types: tuple[str, ...] = ()
    """Names of scene types."""
    variants: tuple[str, ...] = ()
    """Names of variant kinds."""
    tier: str | None = None
    """Tier; None: the project's at each run."""
    priority_class: PriorityClass = PriorityClass.NORMAL
    """Class in the queue."""
    off_peak: bool = False
    """Whether its takes start only while nothing else wants the worker."""
    failed_only: bool = False
    """Whether only scenes that have failed are submitted."""
    runs_missed: bool = False
    """Whether times that were missed are made up for by one run; else they are skipped. Both are said."""


def add(session: Session, actor: Actor, given: NewSchedule, now: datetime) -> m.Schedule:
    """Set a schedule; it submits as the actor.

    Raises:
        InvalidInputError: the name, the cron expression or the time zone is none.
        ConflictError: the name is taken.
        NotFoundError: something of the selection does not exist.
    """
    actor.require(Permission.SUBMIT)
    if actor.person_id is None:
        raise ForbiddenError("A schedule submits as a person; X121 itself can not set one.")
    name = given.name.strip()
    if not name or len(name) > 100:
        raise InvalidInputError("A schedule's name has 1 to 100 characters.")
    if session.scalar(sa.select(m.Schedule.id).where(sa.func.lower(m.Schedule.name) == name.lower())):
        raise ConflictError(f"There is a schedule '{name}' already.", hint="Give another name, or remove that one.")
    when, zone = cron.read(given.cron), zone_of(given.zone)
    project = catalogue.project(session, given.project)
    tier = catalogue.tier(session, given.tier) if given.tier else None
    characters = catalogue.characters(session, project.id, list(given.characters)) if given.characters else []
    types = catalogue.latest_scene_types(session, list(given.scene_types)) if given.scene_types else []
    kinds = [catalogue.variant_kind(session, kind) for kind in given.variants]
    row = m.Schedule(
        id=new_id(), name=name, cron=when.text, zone=given.zone, project_id=project.id, person_id=actor.person_id,
        tier_id=tier.id if tier else None, class_id=given.priority_class, is_off_peak=given.off_peak,
        is_failed_only=given.failed_only, runs_missed=given.runs_missed, is_enabled=True,
        n_chosen=len(characters) + len(types) + len(kinds), next_due_at=cron.next_after(when, zone, now),
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.add_all(m.ScheduleCharacter(schedule_id=row.id, character_id=c.id) for c in characters)
    session.add_all(m.ScheduleSceneType(schedule_id=row.id, scene_type_id=t.id) for t, _ in types)
    session.add_all(m.ScheduleVariantKind(schedule_id=row.id, variant_kind_id=k.id) for k in kinds)
    _say(session, actor, row, "added", {"cron": row.cron, "zone": row.zone, "project": project.name})
    return row


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name; raises `InvalidInputError` for an unknown one."""
    if name not in available_timezones():
        raise InvalidInputError(f"There is no time zone '{name}'.", hint="As 'Europe/Berlin' or 'UTC'.")
    return ZoneInfo(name)


def find(session: Session, name: str, *, lock: bool = False) -> m.Schedule:
    """Return a schedule by name or key; raises `NotFoundError` that lists the known ones."""
    s = m.Schedule
    try:
        is_it = sa.or_(s.id == uuid.UUID(name), sa.func.lower(s.name) == name.lower())
    except ValueError:
        is_it = sa.func.lower(s.name) == name.lower()
    query = sa.select(s).where(is_it)
    found = session.scalars(query.with_for_update() if lock else query).first()
    if found is None:
        known = ", ".join(session.scalars(sa.select(s.name).order_by(s.name))) or "none yet: 'x121 schedule add'"
        raise NotFoundError(f"There is no schedule '{name}'.", hint=f"Known: {known}.")
    return found


def set_enabled(session: Session, actor: Actor, name: str, *, is_enabled: bool, now: datetime) -> m.Schedule:
    """Let a schedule run from its next time on, or not; times that pass meanwhile are not missed."""
    row = _own(session, actor, name)
    if row.is_enabled is is_enabled:
        raise RefusedError(f"'{row.name}' is {'enabled' if is_enabled else 'disabled'} already.")
    row.is_enabled = is_enabled
    row.next_due_at = cron.next_after(cron.read(row.cron), zone_of(row.zone), now) if is_enabled else None
    row.version += 1
    _say(session, actor, row, "enabled" if is_enabled else "disabled", {})
    return row


def remove(session: Session, actor: Actor, name: str) -> None:
    """Remove a schedule with its log; what it submitted stays."""
    row = _own(session, actor, name)
    _say(session, actor, row, "removed", {"cron": row.cron})
    session.delete(row)
    session.flush()


def _own(session: Session, actor: Actor, name: str) -> m.Schedule:
    actor.require(Permission.SUBMIT)
    row = find(session, name, lock=True)
    if row.person_id != actor.person_id and not actor.may(Permission.ORDER_QUEUE):
        raise ForbiddenError(f"'{row.name}' is somebody else's schedule.", hint="Ask them, or an Admin.")
    return row


def run_now(session: Session, actor: Actor, name: str, now: datetime) -> m.ScheduleRun:
    """Run a schedule at once, as its person, besides its times; returns what became of it."""
    row = _own(session, actor, name)
    return _run(session, row, now, now, f"Asked for by {actor.name}.")


def run_due(session: Session, now: datetime) -> m.ScheduleRun | None:
    """Run one schedule whose time has come and return what became of it; None where none is due.

    A schedule that another process has in hand is left to it.
    """
    s = m.Schedule
    query = sa.select(s).where(s.is_enabled, s.next_due_at <= now).order_by(s.next_due_at, s.id).limit(1)
    row = session.scalars(query.with_for_update(skip_locked=True)).one_or_none()
    if row is None or row.next_due_at is None:
        return None
    when, zone = cron.read(row.cron), zone_of(row.zone)
    n, last = cron.due_until(when, zone, row.next_due_at, now)
    row.next_due_at = cron.next_after(when, zone, now)
    is_late = now - last > LATE
    missed = n if is_late else n - 1
    words = "1 due time was missed" if missed == 1 else f"{missed} due times were missed"
    if not is_late:
        return _run(session, row, last, now, f"Before this, {words}, as no consumer ran." if missed else "")
    if row.runs_missed:
        return _run(session, row, last, now, f"{words}, as no consumer ran; run once for all of them.")
    return _log(session, row, last, now, ScheduleOutcome.SKIPPED, f"{words}, as no consumer ran; skipped.")


def _run(session: Session, row: m.Schedule, due_at: datetime, now: datetime, note: str) -> m.ScheduleRun:
    """Submit as the schedule's person; a refusal undoes what the submission did and is the outcome."""
    try:
        with session.begin_nested():
            actor = people.actor_for(session, row.person_id)
            project = session.get_one(m.Project, row.project_id, with_for_update=True)
            done = submission.submit(session, actor, project, _selection(session, row), now)
    except X121Error as error:
        return _log(session, row, due_at, now, ScheduleOutcome.REFUSED, f"{note} {error}".strip())
    said = [note, *done.budgets]
    if done.batch_id is None:
        said.append(f"{len(done.present)} scenes were there already." if done.present else "There was nothing to do.")
        return _log(session, row, due_at, now, ScheduleOutcome.NOTHING, " ".join(filter(None, said)))
    if done.blocked:
        said.append(f"{len(done.blocked)} scenes were blocked: {done.blocked[0]}: {done.blocked[0].blocked}.")
    run = _log(session, row, due_at, now, ScheduleOutcome.SUBMITTED, " ".join(filter(None, said)))
    run.batch_id, run.n_scenes, run.n_takes = done.batch_id, len(done.planned), done.n_takes
    return run


def chosen_words(session: Session, row: m.Schedule) -> str:
    """Return what a schedule chooses, in words: ``all``, or the names."""
    names = [name for group in _named(session, row) for name in group]
    return ", ".join(names) or "all"


def _named(session: Session, row: m.Schedule) -> list[tuple[str, ...]]:
    return [
        tuple(session.scalars(sa.select(table.name).join(link, column == table.id).where(of == row.id)))
        for table, link, column, of in (
            (m.Character, m.ScheduleCharacter, m.ScheduleCharacter.character_id, m.ScheduleCharacter.schedule_id),
            (m.SceneType, m.ScheduleSceneType, m.ScheduleSceneType.scene_type_id, m.ScheduleSceneType.schedule_id),
            (m.VariantKind, m.ScheduleVariantKind, m.ScheduleVariantKind.variant_kind_id,
             m.ScheduleVariantKind.schedule_id),
        )
    ]  # fmt: skip


def _selection(session: Session, row: m.Schedule) -> Selection:
    characters, scene_types, variants = named = _named(session, row)
    if sum(map(len, named)) != row.n_chosen:
        raise RefusedError("Something that it chooses was deleted since.", hint="Remove the schedule and set it anew.")
    tier = session.get_one(m.Tier, row.tier_id).name if row.tier_id is not None else None
    return Selection(
        characters, scene_types, variants, tier=tier, priority_class=row.class_id, off_peak=row.is_off_peak,
        skip_blocked=True, failed_only=row.is_failed_only,
    )  # fmt: skip


def _log(
    session: Session, row: m.Schedule, due_at: datetime, now: datetime, outcome: ScheduleOutcome, message: str
) -> m.ScheduleRun:
    run = m.ScheduleRun(
        id=new_id(), schedule_id=row.id, due_at=due_at, ran_at=now, outcome_id=outcome, message=message
    )  # fmt: skip
    session.add(run)
    session.flush()
    outbox.publish(session, EventKind.SCHEDULE_RAN, entity="schedule", entity_id=row.id, project_id=row.project_id,
                   payload={"name": row.name, "outcome": outcome.value, "message": message})  # fmt: skip
    return run


def _say(session: Session, actor: Actor, row: m.Schedule, what: str, facts: dict[str, object]) -> None:
    audit.record(session, actor, f"schedule.{what}", ("schedule", row.id), after={"name": row.name, **facts})
    outbox.publish(session, EventKind.SCHEDULE_CHANGED, entity="schedule", entity_id=row.id, project_id=row.project_id,
                   payload={"name": row.name, "what": what, "by": actor.name})  # fmt: skip
