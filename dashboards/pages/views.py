"""Which method of the studio fills which page, and which actions pages may ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from x121lib.base.errors import InvalidInputError, NotFoundError

from ..contracts import SessionPerson, StudioDoor

Params = dict[str, str]
View = Callable[[StudioDoor, SessionPerson, str | None, Params], Any]

CATALOGUE: dict[str, Any] = {
    "counts": {"approved": 80, "review": 47, "generating": 3, "pending": 32, "rejected": 4, "failed": 2, "blocked": 6},
    "load": [0.82, 0.85, 0.9, 0.86, 0.88, 0.94, 0.91, 0.9, 0.95, 0.97, 0.93, 0.96],
    "thumb": None,
    "strip": None,
    "strip_frames": 0,
}

VIEWS: dict[str, View] = {
    "pulse": lambda door, person, project, _: door.pulse(person, project),
    "characters": lambda door, person, project, _: door.characters(person, project),
    "character": lambda door, person, project, params: door.character(person, project, _need(params, "character")),
    "matrix": lambda door, person, project, _: door.matrix(person, project),
    "queue": lambda door, person, project, params: door.queue(person, project, params.get("at")),
    "review": lambda door, person, project, params: door.review(
        person, project, params.get("scene"), params.get("group")
    ),
    "deliveries": lambda door, person, project, _: door.deliveries(person, project),
    "workers": lambda door, person, project, params: door.workers(person, project, params.get("worker")),
    "models": lambda door, person, project, params: door.models(person, project, params),
    "workflows": lambda door, person, project, params: door.workflows(person, project, params),
    "budgets": lambda door, person, project, params: door.budgets(person, project, params),
    "triggers": lambda door, person, project, params: door.triggers(person, project, params),
    "debugger": lambda door, person, project, params: door.debugger(person, project, params),
    "catalogue": lambda _door, _person, _project, _params: CATALOGUE,
}

# Actions that belong to a project get it; the others name what they act on themselves.
ACTIONS = frozenset(
    {"give_reason", "undo", "note", "retake", "cancel", "to_front", "retry", "pause", "resume"}
    | {"decide_variant", "save_field", "read_notifications", "prefer_notification"}
    | {"verify_models", "stop_model_work", "repair_models", "rate_model", "steer_download"}
    | {"pause_task", "resume_task", "cancel_try"}
    | {"undo_change", "hold_work", "go_on", "steer_schedule"}
    | {"hold_worker", "switch_worker", "remove_worker"}
    | {"switch_trigger", "remove_trigger", "test_webhook", "remove_webhook", "retry_webhook"}
)
CELL_ACTIONS = frozenset({"submit", "cancel_cells", "redo_cells", "raise_cells"})
"""Actions on cells of the matrix."""
PROJECT_ACTIONS = CELL_ACTIONS | {"deliver"}
# Questions whose answer is a dict of the door's own; what goes wrong is told beside the form.
FORMS = frozenset(
    {"add_worker", "edit_worker", "attach_agent", "set_power", "restart_service", "worker_services"}
    | {"scan_models", "note_model", "remove_model", "add_download", "change_task", "try_workflow"}
    | {
        "task_details",
        "move_tasks",
        "edit_tasks",
        "schedule_offers",
        "schedule_times",
        "add_schedule",
        "schedule",
        "change_schedule",
    }
    | {"edit_slot", "add_slot", "remove_slot"}
    | {"set_retakes", "remove_retakes", "raise_scene", "add_budget", "change_budget", "grant_hours", "remove_budget"}
    | {"add_trigger", "change_trigger", "dry_run_trigger", "add_webhook", "webhook_log"}
)
PROJECT_FORMS = frozenset({"check_project", "fix_project", "matrix_cells"})
"""The same, about the project that is open."""
LIVE = frozenset({"workers", "debugger"})
"""Pages whose figures change without an event; they are read again every few seconds."""


def page_of(path: str) -> str:
    """Return the page of an address; the root is Pulse.

    Raises:
        NotFoundError: no page lives there.
    """
    name = path.strip("/") or "pulse"
    if name not in VIEWS:
        raise NotFoundError(f"There is no page at {path}.", hint="Choose one from the rail on the left.")
    return name


def read_view(door: StudioDoor, person: SessionPerson, project: str | None, page: str, params: Params) -> Any:
    """Return the view of a page as plain data."""
    return VIEWS[page](door, person, project, params)


def perform(door: StudioDoor, person: SessionPerson, project: str | None, name: str, args: dict[str, Any]) -> Any:
    """Perform one action and return its answer (a sentence, or ``None``).

    Raises:
        NotFoundError: pages have no such action.
    """
    if name in CELL_ACTIONS:
        args = args | {"cells": cells_of(args.get("cells"))}
    if name in PROJECT_ACTIONS:
        return getattr(door, name)(person, project, **args)
    if name in ACTIONS:
        return getattr(door, name)(person, **args)
    raise NotFoundError(f"There is no action called {name}.")


def answer(door: StudioDoor, person: SessionPerson, project: str | None, name: str, args: dict[str, Any]) -> Any:
    """Answer one question of a page: an estimate, or a decision with what follows from it."""
    if name == "estimate":
        return door.estimate(person, project, cells_of(args.get("cells")), args.get("tier"), args.get("variants") or ())
    if name == "decide":
        return door.decide(person, args["scene_id"], args["outcome"], frame=args.get("frame"))
    if name == "propose_cells":
        return door.propose_cells(
            person, project, cells_of(args.get("cells")), args.get("tier"), args.get("variants") or ()
        )
    if name in PROJECT_FORMS:
        return getattr(door, name)(person, project, **args)
    if name in FORMS:
        return getattr(door, name)(person, **args)
    raise NotFoundError(f"There is no question called {name}.")


def cells_of(given: Any) -> list[tuple[str, str]]:
    """Return cells as (character, scene type) from what a page sends: ``{types: [...], rows: {character: [number]}}``.

    Raises:
        InvalidInputError: it is not of that form.
    """
    try:
        types = [str(key) for key in given["types"]]
        return [(str(row), types[int(n)]) for row, numbers in given["rows"].items() for n in numbers]
    except (TypeError, KeyError, IndexError, ValueError, AttributeError) as error:
        raise InvalidInputError("This names no cells of the matrix.", hint="Reload the page.") from error


def _need(params: Params, name: str) -> str:
    if not params.get(name):
        raise NotFoundError(f"The address names no {name}.", hint="Open it from its list.")
    return params[name]
