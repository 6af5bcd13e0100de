"""Run the firings of triggers: one at a time in this process, with the rights of whoever enabled the trigger."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import RefusedError, X121Error
from x121lib.base.log import get_logger
from x121lib.events import outbox
from x121lib.pipeline import examination, execution, subjects, trigger_actions, triggers
from x121lib.pipeline.subjects import Subject
from x121lib.pipeline.trigger_actions import Given, delivered
from x121lib.pipeline.trigger_matching import rule_of
from x121lib.pipeline.trigger_rules import Action, Deliver, Rule
from x121lib.studio.clients import Clients
from x121lib.terms.automation import RunStatus
from x121lib.terms.roles import Actor, Permission

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

_log = get_logger(__name__)
EXTEND_EVERY_S = 10.0


@dataclass(frozen=True)
class _Run:
    """A firing that this process runs."""

    firing_id: uuid.UUID
    trigger: m.Trigger
    rule: Rule
    subject: Subject
    actor: Actor
    actions: tuple[Action, ...]
    done: frozenset[int]
    """Positions of actions that were done before a crash."""


class TriggerRuns:
    """The consumer's side of triggers; any number of processes may call it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def match(self) -> int:
        """Write the firings that new events call for; returns how many events were read."""
        house = self._studio.house
        with house.database.transaction() as session:
            return triggers.match_events(session, house.now(), house.settings.trigger_depth)

    def run_next(self) -> bool:
        """Run the firing that waits longest; False where none waits."""
        with self._studio.transaction() as session:
            firing = triggers.claim(session, self._studio.house.now())
        if firing is None:
            return False
        with self._kept(firing.id):
            self.run(firing)
        return True

    @contextmanager
    def _kept(self, firing_id: uuid.UUID) -> Iterator[None]:
        """Extend the firing's lease while the block runs."""
        over = threading.Event()

        def keep() -> None:
            while not over.wait(EXTEND_EVERY_S):
                try:
                    with self._studio.transaction() as session:
                        triggers.extend(session, firing_id, self._studio.house.now())
                except X121Error as error:
                    _log.warning("the lease of firing %s: %s", firing_id, error)

        thread = threading.Thread(target=keep, name=f"firing-{firing_id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def run(self, firing: m.TriggerFiring) -> None:
        """Run a firing that was claimed, to its end; one that another process ended meanwhile stays as it ended."""
        actor, refused, broke = None, "", ""
        try:
            with self._studio.transaction() as session:
                run = self._prepare(session, firing)
            actor = run.actor
            self._act(run)
        except X121Error as error:
            refused = str(error)
        except Exception as error:  # noqa: BLE001 - else it would end this process again with each lease
            _log.exception("firing %s of trigger %s broke", firing.id, firing.trigger_id)
            broke = _broke(error)
        with self._studio.transaction() as session:
            now = self._studio.house.now()
            status = triggers.finish(session, actor, firing.id, now, refused=refused, broke=broke)
        _log.info("firing %s of trigger %s: %s %s", firing.id, firing.trigger_id, status.value, refused or broke)

    def _prepare(self, session: Session, firing: m.TriggerFiring) -> _Run:
        trigger, actor = triggers.acting(session, firing)
        event = outbox.find(session, firing.event_id)
        if event is None:
            raise RefusedError("The event is gone.")
        rule = rule_of(trigger)
        steps = triggers.steps(session, firing.id)
        done = frozenset(s.position for s in steps if s.status_id == RunStatus.DONE)
        actions = rule.otherwise if firing.is_otherwise else rule.do
        if [s.action_id.value for s in steps] != [a.action for a in actions]:
            raise RefusedError(triggers.CHANGED)
        return _Run(firing.id, trigger, rule, subjects.read(session, event), actor, actions, done)

    def _act(self, run: _Run) -> None:
        """Do the actions of a firing: at the same time, or in order until one fails."""
        open_ = [(n, action) for n, action in enumerate(run.actions, start=1) if n not in run.done]
        if run.rule.together:
            with ThreadPoolExecutor(max(1, len(open_)), thread_name_prefix="action") as pool:
                list(pool.map(lambda step: self._step(run, *step), open_))
            return
        for position, action in open_:
            if not self._step(run, position, action):
                return

    def _step(self, run: _Run, position: int, action: Action) -> bool:
        """Do one action and write what became of it; what it publishes is known as this firing's effect.

        Returns whether it was done; an action that ended meanwhile is left as it ended.
        """
        try:
            with outbox.caused_by(run.firing_id):
                if action.action in trigger_actions.IN_ONE:
                    return self._in_one(run, position, action)
                said = self._work(run, action)
            status = RunStatus.DONE
        except X121Error as error:
            status, said = RunStatus.FAILED, str(error)
        except Exception as error:  # noqa: BLE001 - as above
            _log.exception("firing %s, action %s (%s) broke", run.firing_id, position, action.action)
            status, said = RunStatus.FAILED, _broke(error)
        with self._studio.transaction() as session:
            ended = triggers.end_step(session, run.firing_id, position, status, said, self._studio.house.now())
        return ended == RunStatus.DONE

    def _in_one(self, run: _Run, position: int, action: Action) -> bool:
        """Do an action that is one transaction, unless another process ended it after this one's lease ran out."""
        with self._studio.transaction() as session:
            now = self._studio.house.now()
            step = triggers.locked_step(session, run.firing_id, position)
            if step.status_id.is_over:
                return step.status_id == RunStatus.DONE
            given = Given(session.get_one(m.Trigger, run.trigger.id), run.subject, run.actor, now)
            said = trigger_actions.IN_ONE[action.action](session, given, action)
            return triggers.end_step(session, run.firing_id, position, RunStatus.DONE, said, now) == RunStatus.DONE

    def _work(self, run: _Run, action: Action) -> str:
        """Do an action that works on files; may be done again after a crash."""
        studio = self._studio.as_actor(run.actor)
        if isinstance(action, Deliver):
            names = delivered(run.subject, action)
            project = run.subject.name("project")
            _, package = Clients(studio).deliver(project, partial=action.partial, characters=names)
            return f"{package.path.name}: {', '.join(names) or 'all characters'}."
        if run.subject.scene_id is None:
            raise RefusedError("The scene is gone.")
        if action.action == "assemble":
            run.actor.require(Permission.SUBMIT)
            version = execution.assemble(studio.house, run.subject.scene_id)
            if version is None:
                raise RefusedError("The scene can not be joined: a take is missing, or joining failed.")
            return f"Version {version.number} of {run.subject.what}."
        return self._examine(studio, run, run.subject.scene_id)

    def _examine(self, studio: Studio, run: _Run, scene_id: uuid.UUID) -> str:
        takes = [run.subject.take_id] if run.subject.take_id else examination.chosen_takes(studio.house, scene_id)
        if not takes:
            raise RefusedError("The scene has no finished take to examine.")
        found = [examination.examine_again(studio.house, run.actor, take).value for take in takes]
        return f"{len(found)} of {run.subject.what} examined: {', '.join(found)}."


def _broke(error: Exception) -> str:
    """Return what is said of a fault that X121 does not know; the log has where it came from."""
    return f"It broke: {type(error).__name__}: {error}".replace("\x00", "?").rstrip(". ") + "."
