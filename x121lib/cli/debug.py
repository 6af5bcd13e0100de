"""`x121 task …`: look into a take while it runs, pause it, change its parameters, go on."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from x121lib.base.errors import InvalidInputError
from x121lib.cli.output import refusals, say, show
from x121lib.studio import Studio
from x121lib.studio.debugger import Inspection

task_app = typer.Typer(no_args_is_help=True, help="GPU tasks, one by one: look inside, pause, change, go on.")
LOG_LINES = 8
"""Lines of the server's log that are shown; --raw has more."""
Task = Annotated[uuid.UUID, typer.Argument(help="Key of the task: 'x121 queue --json' lists them.")]


@task_app.command("show")
def task_show(
    task: Task,
    raw: Annotated[bool, typer.Option("--raw", help="Request, events and result as JSON.")] = False,
    preview: Annotated[Path | None, typer.Option(help="Write the newest intermediate picture to this file.")] = None,
) -> None:
    """Show what a task does now: node, step, parameters; or all that was sent and heard."""
    with refusals(), Studio.open() as studio:
        look = studio.debugger.look(task)
        if preview is not None:
            content, media_type = studio.debugger.preview(task)
            preview.write_bytes(content)
            say(f"{preview}: {len(content)} bytes, {media_type}.")
        elif raw:
            sys.stdout.write(json.dumps(look.to_dict(), default=str, ensure_ascii=False, indent=2) + "\n")
        else:
            step = f", step {look.step:g} of {look.n_steps:g}" if look.n_steps else ""
            pausing = " (pauses after this node)" if look.pausing else ""
            say(f"{look.status}{pausing}, attempt {look.attempt}: {look.node}{step}.")
            say(f"{len(look.finished)} of {look.n_nodes} nodes are done, {len(look.cached)} of them from the cache.")
            _say_failure(look)
            rows = [{"parameter": k, "value": v, "own": k in look.overridden} for k, v in look.parameters.items()]
            show(rows, as_json=False)


def _say_failure(look: Inspection) -> None:
    """Say what went wrong, with the memory of the GPUs, the end of the log and what to do."""
    if not look.error:
        return
    say(look.error)
    for device in look.failure.get("devices", ()):
        total, free = device["vram_total_bytes"] / 2**30, device["vram_free_bytes"] / 2**30
        say(f"Memory of {device['name']} after it: {free:.1f} GiB of {total:.1f} GiB free.")
    if look.failure.get("node_inputs"):
        say(f"Inputs of node {look.failure['node_id']}: {json.dumps(look.failure['node_inputs'], ensure_ascii=False)}")
    log = str(look.failure.get("log", "")).strip().splitlines()
    if log:
        say("The server's log ends with:\n  " + "\n  ".join(log[-LOG_LINES:]))
    if look.failure.get("proposal"):
        say(f"What to do: {look.failure['proposal']}")


@task_app.command("pause")
def task_pause(
    task: Task,
    now: Annotated[bool, typer.Option("--now", help="Do not wait for the end of the node that runs.")] = False,
) -> None:
    """Pause a running task when its node has ended; nodes that ended are not run again."""
    with refusals(), Studio.open() as studio:
        say(f"The take pauses {studio.debugger.pause(task, at='now' if now else 'node')}.")


@task_app.command("set")
def task_set(
    task: Task,
    values: Annotated[list[str], typer.Argument(help="slot=value; the value as JSON or text; 'slot=' takes it back.")],
) -> None:
    """Give a waiting or paused take other parameters than its recipe's."""
    with refusals(), Studio.open() as studio:
        before = studio.debugger.change(task, parsed(values))
        now = studio.debugger.look(task).parameters
        show([{"parameter": k, "before": v, "now": now.get(k)} for k, v in before.items()], as_json=False)
        say(f"Next: x121 task resume {task}")


@task_app.command("resume")
def task_resume(task: Task) -> None:
    """Put a paused task back into the queue; on the same worker where that is free."""
    with refusals(), Studio.open() as studio:
        say("The take is queued again." if studio.debugger.resume(task) else "The task is not paused.")


@task_app.command("cancel")
def task_cancel(task: Task) -> None:
    """Cancel a task and what waits for it; finished segments stay."""
    with refusals(), Studio.open() as studio:
        say(f"{studio.cancel([task])} tasks are cancelled; finished segments stay.")


def parsed(values: list[str]) -> dict[str, Any]:
    """Return the values of ``slot=value`` arguments; None for ``slot=``.

    Raises:
        InvalidInputError: one of them is no such argument.
    """
    found: dict[str, Any] = {}
    for each in values:
        slot, sign, text = each.partition("=")
        if not sign or not slot:
            raise InvalidInputError(f"'{each}' is not slot=value.")
        try:
            found[slot] = json.loads(text) if text else None
        except ValueError:
            found[slot] = text
    return found
