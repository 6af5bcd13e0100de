"""Submissions that come again: set by people, run at their times exactly once, with what became of each time.

A due time is run in one transaction that holds the schedule's row, writes its run (one row per due time) and moves the
schedule to its next time, so that it happens once however many processes look. Every run submits as the schedule's
person with the roles held then: permission, likeness releases, approvals and budgets are checked as for a submission by
hand, and a refusal is the run's outcome.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
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


@dataclass(frozen=True)
class _Chosen:
    """What a schedule submits, looked up."""

    project: m.Project
    """The project."""
    tier: m.Tier | None
    """The tier; None: the project's."""
    characters: Sequence[m.Character]
    """Characters; none: all."""
    scene_types: Sequence[m.SceneType]
    """Scene types; none: all."""
    kinds: Sequence[m.VariantKind]
    """Variant kinds; none: all."""


def add(session: Session, actor: Actor, given: NewSchedule, now: datetime) -> m.Schedule:
    """Set a schedule; it submits as the actor. Audited.

    Raises:
        InvalidInputError: the name, the cron expression or the time zone is none.
        ConflictError: the name is taken.
        NotFoundError: something of the selection does not exist.
    """
    actor.require(Permission.SUBMIT)
    name = _free_name(session, given.name, None)
    when, zone = cron.read(given.cron), zone_of(given.zone)
    chosen = _choose(session, given)
    row = m.Schedule(
        id=new_id(), name=name, cron=when.text, zone=given.zone, person_id=_person(actor), is_enabled=True,
        next_due_at=cron.next_after(when, zone, now), **_fields(given, chosen),
    )  # fmt: skip
    session.add(row)
    _write_choice(session, row, chosen)
    _say(session, actor, row, "added", facts(session, row))
    return row


def change(
    session: Session, actor: Actor, name: str, given: NewSchedule, now: datetime, version: int | None = None
) -> m.Schedule:
    """Change a schedule in place: its name, times, what it submits, what becomes of missed times. Audited.

    With another project, choice, tier or place in the queue it submits as the actor from then on; with another name,
    other times or another rule for missed ones as before. One that is disabled stays so. Times of the old expression
    that passed and were not run yet are left when the expression or the time zone changes.

    Raises:
        ConflictError: the name is taken, or it was changed since ``version`` (None: whatever it is now).
        ForbiddenError: it is somebody else's, and the actor may not order the queue.
        InvalidInputError, NotFoundError: as `add`; nothing is changed.
    """
    row = _own(session, actor, name)
    session.refresh(row)
    if version is not None and row.version != version:
        raise ConflictError(f"'{row.name}' was changed meanwhile.", hint="Look at it as it is now, and change that.")
    before, new_name = facts(session, row), _free_name(session, given.name, row.id)
    when, zone = cron.read(given.cron), zone_of(given.zone)
    chosen = _choose(session, given)
    retimed = (row.cron, row.zone) != (when.text, given.zone)
    row.name, row.cron, row.zone = new_name, when.text, given.zone
    for field, value in _fields(given, chosen).items():
        setattr(row, field, value)
    _write_choice(session, row, chosen)
    after = facts(session, row)
    if any(before[key] != after[key] for key in SUBMITTED):
        row.person_id = _person(actor)
    if retimed and row.is_enabled:
        row.next_due_at = cron.next_after(when, zone, now)
    row.version += 1
    session.flush()
    _say(session, actor, row, "changed", facts(session, row), before)
    return row


def _person(actor: Actor) -> uuid.UUID:
    if actor.person_id is None:
        raise ForbiddenError("A schedule submits as a person; X121 itself can not set one.")
    return actor.person_id


def _free_name(session: Session, given: str, own: uuid.UUID | None) -> str:
    name = given.strip()
    if not name or len(name) > 100:
        raise InvalidInputError("A schedule's name has 1 to 100 characters.")
    found = session.scalar(sa.select(m.Schedule.id).where(sa.func.lower(m.Schedule.name) == name.lower()))
    if found is not None and found != own:
        raise ConflictError(f"There is a schedule '{name}' already.", hint="Give another name, or remove that one.")
    return name


def _choose(session: Session, given: NewSchedule) -> _Chosen:
    project = catalogue.project(session, given.project)
    return _Chosen(
        project,
        catalogue.tier(session, given.tier) if given.tier else None,
        catalogue.characters(session, project.id, list(given.characters)) if given.characters else [],
        [t for t, _ in catalogue.latest_scene_types(session, list(given.scene_types))] if given.scene_types else [],
        [catalogue.variant_kind(session, kind) for kind in given.variants],
    )


def _fields(given: NewSchedule, chosen: _Chosen) -> dict[str, Any]:
    return {
        "project_id": chosen.project.id, "tier_id": chosen.tier.id if chosen.tier else None,
        "class_id": given.priority_class, "is_off_peak": given.off_peak, "is_failed_only": given.failed_only,
        "runs_missed": given.runs_missed,
        "n_chosen": len(chosen.characters) + len(chosen.scene_types) + len(chosen.kinds),
    }  # fmt: skip


def _write_choice(session: Session, row: m.Schedule, chosen: _Chosen) -> None:
    session.flush()
    for link in (m.ScheduleCharacter, m.ScheduleSceneType, m.ScheduleVariantKind):
        session.execute(sa.delete(link).where(link.schedule_id == row.id))
    session.add_all(m.ScheduleCharacter(schedule_id=row.id, character_id=c.id) for c in chosen.characters)
    session.add_all(m.ScheduleSceneType(schedule_id=row.id, scene_type_id=t.id) for t in chosen.scene_types)
    session.add_all(m.ScheduleVariantKind(schedule_id=row.id, variant_kind_id=k.id) for k in chosen.kinds)
    session.flush()


SUBMITTED = ("project", "characters", "scene_types", "variants", "tier", "priority", "off_peak", "failed_only")
"""Keys of `facts` that say what is submitted."""


def facts(session: Session, row: m.Schedule) -> dict[str, object]:
    """Return a schedule in plain values, as the audit log keeps it; empty lists mean all."""
    given = stored(session, row)
    person = session.get_one(m.Person, row.person_id)
    return {
        "name": given.name, "cron": given.cron, "zone": given.zone, "project": given.project,
        "characters": list(given.characters), "scene_types": list(given.scene_types),
        "variants": list(given.variants), "tier": given.tier, "priority": given.priority_class.value,
        "off_peak": given.off_peak, "failed_only": given.failed_only, "run_missed": given.runs_missed,
        "submits_as": person.name,
    }  # fmt: skip


def stored(session: Session, row: m.Schedule) -> NewSchedule:
    """Return a schedule as a person would ask for it; of what it chose and was deleted since, what is left."""
    characters, scene_types, variants = _named(session, row)
    tier = session.get_one(m.Tier, row.tier_id).name if row.tier_id is not None else None
    return NewSchedule(
        row.name, session.get_one(m.Project, row.project_id).name, row.cron, row.zone, characters, scene_types,
        variants, tier, row.class_id, row.is_off_peak, row.is_failed_only, row.runs_missed,
    )  # fmt: skip


def lost(session: Session, row: m.Schedule) -> int:
    """Return how many of the characters, scene types and variant kinds that it chose were deleted since."""
    return row.n_chosen - sum(map(len, _named(session, row)))


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
        tuple(
            session.scalars(
                sa.select(table.name).join(link, column == table.id).where(of == row.id).order_by(table.name)
            )
        )
        for table, link, column, of in (
            (m.Character, m.ScheduleCharacter, m.ScheduleCharacter.character_id, m.ScheduleCharacter.schedule_id),
            (m.SceneType, m.ScheduleSceneType, m.ScheduleSceneType.scene_type_id, m.ScheduleSceneType.schedule_id),
            (m.VariantKind, m.ScheduleVariantKind, m.ScheduleVariantKind.variant_kind_id,
             m.ScheduleVariantKind.schedule_id),
        )
    ]  # fmt: skip


def _selection(session: Session, row: m.Schedule) -> Selection:
    if lost(session, row):
        raise RefusedError("Something that it chooses was deleted since.", hint="Change the schedule: choose anew.")
    given = stored(session, row)
    return Selection(
        given.characters, given.scene_types, given.variants, tier=given.tier, priority_class=given.priority_class,
        off_peak=given.off_peak, skip_blocked=True, failed_only=given.failed_only,
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


def _say(
    session: Session, actor: Actor, row: m.Schedule, what: str, after: dict[str, object],
    before: dict[str, object] | None = None,
) -> None:  # fmt: skip
    audit.record(session, actor, f"schedule.{what}", ("schedule", row.id), before=before,
                 after={"name": row.name, **after})  # fmt: skip
    outbox.publish(session, EventKind.SCHEDULE_CHANGED, entity="schedule", entity_id=row.id, project_id=row.project_id,
                   payload={"name": row.name, "what": what, "by": actor.name})  # fmt: skip
