"""The debugger: one take on its server, node by node, with its parameters and its raw messages."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.comfyui.graph import title_of
from x121lib.generation.service import FIXED_SLOTS
from x121lib.pipeline import trigger_log
from x121lib.studio.core import Studio
from x121lib.studio.debugger import STOPS, Inspection
from x121lib.studio.pages import estimates, queries, tasks
from x121lib.studio.pages.desk import Desk, View, key_of
from x121lib.studio.pages.steering import Steering
from x121lib.studio.pages.words import iso
from x121lib.terms.roles import Permission
from x121lib.terms.transitions import WAITING_STATUSES
from x121lib.terms.vocabulary import TaskStatus

EVENTS = 120
"""Raw messages shown, the newest."""
FACT_CHARS = 4000
"""Characters of one fact of a failure."""
RAW_CHARS = 120_000
"""Characters of a raw document shown."""


def debugger(desk: Desk, params: Mapping[str, str], steering: Steering) -> View:
    """Return the take of ``task``, else the first that runs, with the raw document of ``raw``."""
    running = queries.running_tasks(desk.session)
    key = key_of(params["task"], "take") if params.get("task") else running[0]["id"] if running else None
    history = estimates.read_history(desk.session, desk)
    listed = [tasks.active(desk, row, history) for row in running]
    if key is None:
        return {"task": None, "running": listed}
    row = queries.one_task(desk.session, key)
    if row is None:
        raise NotFoundError("There is no such take.", hint="Open it from the queue.")
    look = desk.studio.debugger.look(key)
    raw = _raw(look, params.get("raw") or ("failure" if look.error else "events"))
    return {"task": _task(desk, row, look, history, steering) | {"raw": raw}, "running": listed}


def _task(desk: Desk, row: Any, look: Inspection, history: estimates.History, steering: Steering) -> dict[str, Any]:
    parameters = _parameters(look, desk.studio.debugger.all_parameters(row["id"]))
    pending, said = steering.pending(row["id"]), steering.said(row["id"])
    shown = tasks.queue_task(desk, row, "", None, history)
    word = "Pausing" if look.pausing else shown["word"]
    return {
        "id": shown["id"], "status": shown["status"], "word": word, "character": shown["character"],
        "detail": shown["detail"], "take": shown["take"], "project": shown["project"], "scene_id": shown["scene_id"],
        "trigger": _trigger(desk, row["id"]),
        "worker": row["worker"], "attempt": look.attempt, "progress": shown["progress"], "pausing": look.pausing,
        "node": look.node, "node_id": look.node_id, "step": look.step, "n_steps": look.n_steps,
        "n_done": len(look.finished), "nodes": _nodes(desk, row, look), "error": look.error,
        "failure": _failure(look),
        "preview": _preview(desk, row["id"]) if look.has_preview else None,
        "heard_at": iso(look.updated_at) if look.updated_at else None, "parameters": parameters,
        "pending": {name: _text(value) for name, value in pending.items()} if pending is not None else None,
        "said": {"status": said[0], "text": said[1]} if said is not None else None, "stops": STOPS,
        "can": _can(desk, row["status"], look),
    }  # fmt: skip


def _trigger(desk: Desk, task_id: uuid.UUID) -> dict[str, str] | None:
    """Return the trigger that queued a task; None for what a person or the pipeline queued."""
    found = trigger_log.trigger_of(desk.session, "gpu_task", task_id)
    return {"id": str(found[0]), "name": found[1]} if found is not None else None


def _failure(look: Inspection) -> dict[str, Any] | None:
    """Return what is known of a failure: what to do, facts with a label, the end of the server's log."""
    if not look.error:
        return None
    known = look.failure
    facts = [
        [f"Memory of {d['name']}", f"{gib(d['vram_free_bytes'])} of {gib(d['vram_total_bytes'])} free after it"]
        for d in known.get("devices", ())
    ]
    for key, label in (("node_inputs", "Inputs of the node"), ("parameters", "Parameters"), ("traceback", "Traceback")):
        if known.get(key):
            text = known[key] if isinstance(known[key], str) else json.dumps(known[key], ensure_ascii=False)
            facts.append([label, text[:FACT_CHARS]])
    proposal = str(known.get("proposal") or "")
    return {
        "proposal": proposal if proposal not in look.error else None,
        "facts": facts,
        "log": str(known.get("log", ""))[-RAW_CHARS:],
    }


def gib(n_bytes: float) -> str:
    """Return an amount of memory in GiB."""
    return f"{n_bytes / 2**30:.1f} GiB"


def _nodes(desk: Desk, row: Any, look: Inspection) -> list[dict[str, Any]]:
    """Return the nodes of the graph that was sent: those that are done in their order, the running one, the others."""
    times = _times(desk, row["id"], look.attempt)
    done = [node for node in look.finished if node in look.request]
    live = row["status"] == TaskStatus.RUNNING and look.node_id in look.request and look.node_id not in done
    rest = sorted(
        (n for n in look.request if n not in done), key=lambda n: (not (live and n == look.node_id), _order(n))
    )
    return [
        {
            "id": node, "name": title_of(look.request[node]) or look.request[node]["class_type"],
            "class": look.request[node]["class_type"], "seconds": times.get(node),
            "state": "cached" if node in look.cached else "done" if node in done
            else "running" if live and node == look.node_id else "waiting",
        }
        for node in [*done, *rest]
    ]  # fmt: skip


def _order(node: str) -> tuple[int, str]:
    return (int(node), "") if node.isdecimal() else (10**9, node)


def _times(desk: Desk, task_id: uuid.UUID, attempt: int) -> dict[str, float]:
    time = m.AttemptNodeTime
    rows = desk.session.execute(
        sa.select(time.node_id, time.seconds)
        .join(m.GpuTaskAttempt, m.GpuTaskAttempt.id == time.attempt_id)
        .where(m.GpuTaskAttempt.task_id == task_id, m.GpuTaskAttempt.number == attempt, ~time.is_cached)
    )
    return {node: seconds for node, seconds in rows}


def _preview(desk: Desk, task_id: uuid.UUID) -> str | None:
    """Return the address of the newest picture; it changes with the picture."""
    trace = m.AttemptTrace
    digest = desk.session.scalar(
        sa.select(sa.func.md5(trace.preview))
        .join(m.GpuTaskAttempt, m.GpuTaskAttempt.id == trace.attempt_id)
        .where(m.GpuTaskAttempt.task_id == task_id, trace.preview.is_not(None))
        .order_by(m.GpuTaskAttempt.number.desc())
        .limit(1)
    )
    return f"/media/preview/{task_id}?v={digest[:12]}" if digest else None


def _parameters(look: Inspection, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": name, "value": _text(value), "own": name in look.overridden, "fixed": name in FIXED_SLOTS,
            "long": isinstance(value, str) and len(value) > 40,
        }
        for name, value in sorted(values.items(), key=lambda item: (item[0] in FIXED_SLOTS, item[0]))
    ]  # fmt: skip


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _can(desk: Desk, status: TaskStatus, look: Inspection) -> list[str]:
    control, submit = desk.may(Permission.CONTROL_QUEUE), desk.may(Permission.SUBMIT)
    runs, waits, paused = status == TaskStatus.RUNNING, status in WAITING_STATUSES, status == TaskStatus.PAUSED
    over = status in (TaskStatus.COMPLETE, TaskStatus.CANCELLED, TaskStatus.FAILED)
    possible = {
        "pause": control and runs and not look.pausing, "stop": control and runs, "resume": control and paused,
        "change": submit and (waits or (runs and control)), "cancel": control and not over,
    }  # fmt: skip
    return [name for name, holds in possible.items() if holds]


def _raw(look: Inspection, which: str) -> dict[str, Any]:
    if which == "failure":
        return {"which": which, "text": "", "cut": False, "events": []}
    if which in ("request", "result"):
        text = json.dumps(getattr(look, which), indent=2, ensure_ascii=False) if getattr(look, which) else ""
        return {"which": which, "text": text[:RAW_CHARS], "cut": len(text) > RAW_CHARS, "events": []}
    rows = [
        {"at": str(e["at"]), "type": str(e["type"]), "node": str((e["data"] or {}).get("node") or ""),
         "data": json.dumps(e["data"], ensure_ascii=False)[:2000]}
        for e in look.events[: -EVENTS - 1 : -1]
    ]  # fmt: skip
    return {"which": "events", "text": "", "cut": len(look.events) > EVENTS, "events": rows}


# What is done


def pause(studio: Studio, task_id: str, at: str) -> str:
    """Pause a running take; says where it stops."""
    return f"It stops {studio.debugger.pause(key_of(task_id, 'take'), at=at)}"


def resume(studio: Studio, task_id: str) -> str:
    """Let a paused take go on."""
    n = studio.debugger.resume(key_of(task_id, "take"))
    return "It goes on as soon as a worker is free" if n else "It was not paused any more"


def change(
    studio: Studio, steering: Steering, task_id: str, values: Mapping[str, str | None], *, go_on: bool
) -> dict[str, Any]:
    """Change slot values now where the take waits, else at the next safe point; None takes a change back."""
    key = key_of(task_id, "take")
    look = studio.debugger.look(key)
    before = studio.debugger.all_parameters(key)
    parsed = {name: None if text is None else _parsed(name, text, before) for name, text in values.items()}
    if not parsed:
        raise InvalidInputError("Nothing was changed.", hint="Edit a value first.")
    if look.status == TaskStatus.RUNNING.label:
        return {"text": f"It stops {steering.begin(studio, key, parsed)}, with the new values"}
    studio.debugger.change(key, parsed)
    if go_on and look.status == TaskStatus.PAUSED.label:
        studio.debugger.resume(key)
        return {"text": f"{', '.join(parsed)} changed; it goes on as soon as a worker is free"}
    return {"text": f"{', '.join(parsed)} changed; it takes effect when the take starts"}


def _parsed(name: str, text: str, before: Mapping[str, Any]) -> Any:
    """Return a typed value: texts as they are where the slot holds text, else as JSON says."""
    if name not in before:
        raise InvalidInputError(f"This take has no parameter '{name}'.")
    if isinstance(before[name], str):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidInputError(f"{name}: '{text[:60]}' is no number.", hint=f"Before: {before[name]}.") from error
