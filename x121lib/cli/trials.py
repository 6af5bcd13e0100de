"""`workflow try`: a workflow run with a drawn picture, outside of any project."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from x121lib.cli.output import note, refusals, say, show, show_frame
from x121lib.studio import Studio

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add_commands(workflow_app: typer.Typer) -> None:
    """Add the commands of this module to `x121 workflow`."""
    workflow_app.command("try")(try_)
    workflow_app.command("tries")(tries)
    workflow_app.command("cancel-try")(cancel_try)


def try_(
    name: str,
    version: Annotated[int | None, typer.Option(help="Default: the newest.")] = None,
    worker: Annotated[str | None, typer.Option(help="Default: the least busy one that has all it needs.")] = None,
    as_json: Json = False,
) -> None:
    """Run a workflow's version once with a neutral picture, few frames and steps; exit 1 where it fails."""
    with refusals(), Studio.open() as studio:
        bar = Progress(BarColumn(bar_width=40), TextColumn("{task.percentage:.0f} %"), console=Console(stderr=True))
        task = bar.add_task("", total=1.0)
        with bar:
            done = studio.trials.run(name, version=version, worker=worker,
                                     on_progress=lambda fraction: bar.update(task, completed=fraction))  # fmt: skip
        if as_json:
            show([done], as_json=True)
        else:
            _say(done)
        if done["status"] != "complete":
            raise typer.Exit(1)


def _say(done: dict[str, Any]) -> None:
    head = f"{done['workflow']} {done['version']} on {done['worker']}: {done['status']}"
    if done["status"] != "complete":
        note(f"{head}. {done['error_message']}".strip())
        return
    frames = f", {done['n_frames']} frames" if done["n_frames"] != 1 else ""
    say(f"{head} in {done['run_s']:.1f} s, {done['width']}×{done['height']} {done['codec']}{frames}.")
    if done["first_frame_ssim"] is not None:
        note(f"Its first frame is like the picture that was given by {done['first_frame_ssim']:.3f} of 1 (SSIM).")
    if done["next_status"]:
        command = f"x121 workflow status {done['workflow']} {done['next_status']} --version {done['version']}"
        note(f"Next, where the result pleases: '{command}'.")


def tries(name: Annotated[str | None, typer.Argument()] = None, as_json: Json = False) -> None:
    """List the dry runs of a workflow, or of all, the newest first."""
    with refusals(), Studio.open() as studio:
        frame = studio.trials.list(name)
        columns = ["trial_id", "workflow", "version", "worker", "status", "started_at", "run_s", "error_message"]
        show_frame(
            frame if as_json else frame[columns], as_json=as_json, empty="No dry run yet: 'x121 workflow try NAME'."
        )


def cancel_try(trial: str) -> None:
    """Ask a dry run to stop, whichever process runs it; no other prompt of that server is touched."""
    with refusals(), Studio.open() as studio:
        studio.trials.cancel(uuid.UUID(trial))
        say("The dry run is asked to stop.")
