"""What the Queue page does to waiting work: each through the use case that checks who may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from x121lib.base.errors import InvalidInputError
from x121lib.studio.core import Studio
from x121lib.studio.holds import Scope
from x121lib.studio.pages.desk import key_of, keys_of
from x121lib.studio.pages.words import many
from x121lib.studio.selections import Edit, Tasks, Where
from x121lib.terms.vocabulary import PriorityClass


def _tasks(task_ids: list[str]) -> Tasks:
    return Tasks(tuple(keys_of(task_ids, "task")))


def move(studio: Studio, task_ids: list[str], where: str, anchor: str | None) -> dict[str, Any]:
    """Move waiting tasks; returns the sentence, and the change's key for Undo."""
    if where not in list(Where):
        raise InvalidInputError(f"There is no place '{where}'.", hint=f"Known: {', '.join(Where)}.")
    done = studio.selections.move(_tasks(task_ids), where, key_of(anchor, "task") if anchor else None)
    return {"text": done.summary, "change_id": str(done.change_id)}


def edit(studio: Studio, task_ids: list[str], changes: dict[str, Any]) -> dict[str, Any]:
    """Change class, priority or off-peak of waiting tasks, or let them start at once; the answer is that of `move`."""
    if unknown := sorted(set(changes) - {"class", "priority", "off_peak", "at_once"}):
        raise InvalidInputError(f"Tasks have no '{unknown[0]}' to change.")
    names = {kind.value for kind in PriorityClass}
    if changes.get("class") is not None and changes["class"] not in names:
        raise InvalidInputError(f"There is no class '{changes['class']}'.", hint=f"Known: {', '.join(sorted(names))}.")
    kind = PriorityClass(changes["class"]) if changes.get("class") is not None else None
    number = int(changes["priority"]) if changes.get("priority") is not None else None
    given = Edit(number, kind, changes.get("off_peak"), at_once=bool(changes.get("at_once")))
    done = studio.selections.edit(_tasks(task_ids), given)
    return {"text": done.summary, "change_id": str(done.change_id)}


def undo(studio: Studio, change_id: str) -> str:
    """Take a change back."""
    return studio.selections.undo(key_of(change_id, "change")).summary


def hold(studio: Studio, kind: str, keys: Sequence[str], reason: str) -> str:
    """Pause tasks, a scene or a project (by name)."""
    if kind == "tasks":
        return f"{many(studio.pause(keys_of(list(keys), 'task'), reason), 'take')} paused"
    made = studio.pauses.pause(_scope(kind, keys), reason)
    return f"{made[0].target} is paused; what runs is finished"


def go_on(studio: Studio, kind: str, keys: Sequence[str]) -> str:
    """Let tasks, a scene or a project (by name) go on."""
    if kind == "tasks":
        n = studio.resume(keys_of(list(keys), "task"))
        return f"{many(n, 'take')} go on" if n != 1 else "1 take goes on"
    return f"{studio.pauses.resume(_scope(kind, keys))[0].target} goes on"


def _scope(kind: str, keys: Sequence[str]) -> Scope:
    if kind == "scene":
        return Scope(scene_ids=tuple(keys_of(list(keys), "scene")))
    if kind == "project" and len(keys) == 1:
        return Scope(project=keys[0])
    raise InvalidInputError(f"A '{kind}' can not be paused here.", hint="Tasks, a scene or a project.")


def steer_schedule(studio: Studio, name: str, how: str) -> str:
    """Enable, disable or remove a schedule, or run it now."""
    if how == "run":
        ran = studio.schedules.run_now(name)
        return f"{name}: {ran.outcome}, {many(ran.n_scenes, 'scene')}. {ran.message}".strip()
    steps = {"enable": studio.schedules.enable, "disable": studio.schedules.disable, "remove": studio.schedules.remove}
    if how not in steps:
        raise InvalidInputError(f"A schedule can not be '{how}'.", hint=f"Known: run, {', '.join(steps)}.")
    steps[how](name)
    return f"{name} is {how.rstrip('e')}ed"
