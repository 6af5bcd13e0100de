"""Triggers, as the façade offers them: rules, switches, dry runs, and the log."""

from __future__ import annotations

import builtins
import tomllib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from x121lib import model as m
from x121lib.access.service import actor_for
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.base.ids import new_id
from x121lib.events import outbox
from x121lib.events.outbox import EventRecord
from x121lib.pipeline import trigger_actions, trigger_log, trigger_matching, trigger_names, triggers
from x121lib.pipeline.trigger_actions import Given
from x121lib.pipeline.trigger_matching import ancestors, cause_of, living
from x121lib.pipeline.trigger_rules import Rule, parse
from x121lib.terms.roles import Actor, Permission

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from x121lib.studio.core import Studio

LARGEST_FILE_BYTES = 64 * 1024


class Triggers:
    """Rules of the form *when this happens there, and that holds, do this*."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(self, rule: Path | Mapping[str, Any]) -> dict[str, Any]:
        """Add a trigger from a TOML file or a mapping; one that costs GPU time starts disabled.

        Raises:
            InvalidInputError: names the file, the field and what is wrong with it.
            NotFoundError: the rule names something that does not exist.
            RefusedError: it could loop without end with the triggers that are enabled.
        """
        wanted = read_rule(rule)
        with self._studio.transaction() as session:
            row = triggers.add(session, self._studio.actor, wanted)
            return trigger_log.listing(session, [row])[0]

    def change(
        self, name: str, rule: Path | Mapping[str, Any], *, version: int | None = None
    ) -> dict[str, Any]:  # fmt: skip
        """Give a trigger another rule, from a TOML file or a mapping; it then acts as who changed it.

        One that costs GPU time is disabled by this, unless an Admin changes it.

        Raises:
            ConflictError: its new name is taken, or it was changed since ``version`` (None: whatever it is now).
            InvalidInputError, NotFoundError, RefusedError: as `add`.
        """
        wanted, now = read_rule(rule), self._studio.house.now()
        with self._studio.transaction() as session:
            row = triggers.find(session, name)
            triggers.change(session, self._studio.actor, row, wanted, now, version)
            return trigger_log.listing(session, [row])[0]

    def list(self) -> builtins.list[dict[str, Any]]:
        """Return one row per trigger."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            return trigger_log.listing(session, living(session))

    def show(self, name: str) -> dict[str, Any]:
        """Return a trigger with its whole rule; raises `NotFoundError`."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            row = triggers.find(session, name)
            return {**trigger_log.listing(session, [row])[0], "rule": row.rule}

    def enable(self, name: str) -> None:
        """Let a trigger act from now on with the actor's rights."""
        with self._studio.transaction() as session:
            triggers.enable(session, self._studio.actor, triggers.find(session, name))

    def disable(self, name: str) -> None:
        """Let a trigger act no more."""
        with self._studio.transaction() as session:
            triggers.disable(session, self._studio.actor, triggers.find(session, name))

    def remove(self, name: str) -> None:
        """Remove a trigger; its log stays."""
        with self._studio.transaction() as session:
            triggers.remove(session, self._studio.actor, triggers.find(session, name), self._studio.house.now())

    def log(
        self, name: str | None = None, *, scene_id: uuid.UUID | None = None, task_id: uuid.UUID | None = None,
        limit: int = 100,
    ) -> builtins.list[dict[str, Any]]:  # fmt: skip
        """Return the newest firings: cause, actions with their results, and what followed."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            key = triggers.find(session, name).id if name is not None else None
            return trigger_log.rows(session, trigger_id=key, scene_id=scene_id, task_id=task_id, limit=limit)

    def dry_run(
        self, rule: Path | str | Mapping[str, Any], *, last: int = 20, event_id: int | None = None
    ) -> builtins.list[dict[str, Any]]:
        """Return what a trigger would do now for past events of its kind; writes nothing.

        Args:
            rule: the name of a trigger (text), else a TOML file (a `Path`) or a mapping that was not added.
            last: how many of the newest events of its kind to look at, 1 to 200.
            event_id: one event instead.
        """
        if not 1 <= last <= 200:
            raise InvalidInputError("A dry run looks at 1 to 200 events.")
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            row, actor = self._tried(session, rule)
            found = []
            for event in _events(session, row, last, event_id):
                found += self._would(session, row, actor, event)
            session.rollback()  # a submission locks the scenes that it looks at, also in a dry run
        return found

    def _tried(self, session: Session, rule: Path | str | Mapping[str, Any]) -> tuple[m.Trigger, Actor]:
        """Return the trigger to try and as whom: whoever enabled it, else who asks."""
        if isinstance(rule, str):
            row = triggers.find(session, rule)
            owner = row.enabled_by_id if row.is_enabled else None
            return row, actor_for(session, owner) if owner is not None else self._studio.actor
        wanted = read_rule(rule)
        where = trigger_names.scope(session, wanted)
        trigger_names.check(session, wanted, where["project_id"])
        row = m.Trigger(
            id=new_id(), name=wanted.name, event_kind_id=wanted.on, rule=wanted.document(),
            enabled_by_id=self._studio.actor.person_id, **where,
        )  # fmt: skip
        return row, self._studio.actor

    def _would(
        self, session: Session, row: m.Trigger, actor: Actor, event: EventRecord
    ) -> builtins.list[dict[str, Any]]:  # fmt: skip
        match = trigger_matching.match(session, row, event, self._studio.house.now())
        if match is None:
            return []
        chain = ancestors(session, cause_of(session, match.subject))
        stopped = triggers.stopped_because(row, match.rule, chain, self._studio.settings.trigger_depth)
        given = Given(row, match.subject, actor, self._studio.house.now())
        return [
            {
                "event_id": event.event_id, "at": event.created_at, "event": event.kind.value,
                "about": match.subject.what, "branch": "otherwise" if match.is_otherwise else "do",
                "action": action.action, "would": stopped or trigger_actions.would(session, given, action),
            }
            for action in match.actions
        ]  # fmt: skip


def _events(session: Session, row: m.Trigger, last: int, event_id: int | None) -> builtins.list[EventRecord]:
    if event_id is None:
        return outbox.newest(session, row.event_kind_id, project_id=row.project_id, limit=last)
    event = outbox.find(session, event_id)
    if event is None:
        raise NotFoundError(f"There is no event {event_id}.", hint="'x121 trigger log' and the API's stream name them.")
    if event.kind != row.event_kind_id:
        raise InvalidInputError(f"Event {event_id} is {event.kind.value}, not {row.event_kind_id.value}.")
    return [event]


def read_rule(rule: Path | Mapping[str, Any]) -> Rule:
    """Return the rule of a TOML file or a mapping; raises `InvalidInputError` that names the file and the place."""
    if isinstance(rule, Mapping):
        return parse(rule, str(rule.get("name") or "The trigger"))
    path = rule
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise InvalidInputError(f"{path} is larger than {LARGEST_FILE_BYTES} bytes.")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(f"{path} can not be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path} is no UTF-8 text.") from error
    try:
        return parse(tomllib.loads(text), str(path))
    except tomllib.TOMLDecodeError as error:
        raise InvalidInputError(f"{path} is no TOML: {error}.", hint="docs/triggers.md has examples.") from error
