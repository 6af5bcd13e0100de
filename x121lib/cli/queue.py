"""`queue`: what waits and why, and what people change of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import pandas as pd
import typer

from x121lib.base.errors import InvalidInputError
from x121lib.cli.output import refusals, say, show_frame
from x121lib.studio import Studio
from x121lib.studio.holds import Scope
from x121lib.studio.selections import Edit, Tasks
from x121lib.terms.vocabulary import PriorityClass

queue_app = typer.Typer(help="What waits and why; move, edit and undo.", invoke_without_command=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Keys = Annotated[
    list[uuid.UUID] | None, typer.Argument(metavar="[TASK]...", help="Keys of tasks, from 'queue --json'.")
]
Project = Annotated[str | None, typer.Option(help="All waiting tasks of this project.")]
Person = Annotated[str | None, typer.Option(help="All of this person, by e-mail address.")]
SceneType = Annotated[str | None, typer.Option(help="All of this scene type.")]
Character = Annotated[str | None, typer.Option(help="All of this character.")]
Batch = Annotated[uuid.UUID | None, typer.Option(help="All of this batch.")]
OfClass = Annotated[str | None, typer.Option("--of-class", help="All of this priority class.")]


@queue_app.callback()
def queue(context: typer.Context, as_json: Json = False) -> None:
    """List the GPU tasks that are not over, in serving order, each with why it waits."""
    if context.invoked_subcommand is None:
        with refusals(), Studio.open() as studio:
            frame = studio.queue().drop(columns=["waits_for"])
            show_frame(frame if as_json else _short(frame), as_json=as_json, empty="The queue is empty.")


def _short(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the queue in the columns that fit a terminal; --json has them all."""
    if frame.empty:
        return frame
    scene = frame["scene_type"].fillna("image").str.cat(frame["variant"], sep=" · ")
    place = [f"S{s:.0f} T{t:.0f}" if s == s else "" for s, t in zip(frame["segment"], frame["take"], strict=True)]
    shown = frame[["project", "character"]].assign(scene=scene, take=place)
    return shown.assign(
        status=frame["status"], priority=frame["priority"], progress=[f"{p:.0%}" for p in frame["progress"]],
        worker=frame["worker"], starts=[_clock(at) for at in frame["starts_at"]], why=frame["why"],
    )  # fmt: skip


def _clock(at: datetime | None) -> str:
    """Return an expected start as local time, with the day where it is not today; empty where it is not known."""
    if at is None or at != at:
        return ""
    local = at.astimezone()
    return f"{local:%H:%M}" if local.date() == datetime.now().astimezone().date() else f"{local:%d %b %H:%M}"


@queue_app.command("move")
def move(
    tasks: Keys = None,
    front: Annotated[bool, typer.Option("--front", help="Before everything that waits now.")] = False,
    back: Annotated[bool, typer.Option("--back", help="Behind everything that waits now.")] = False,
    before: Annotated[uuid.UUID | None, typer.Option(help="Before this task.")] = None,
    after: Annotated[uuid.UUID | None, typer.Option(help="After this task.")] = None,
    project: Project = None,
    person: Person = None,
    scene_type: SceneType = None,
    character: Character = None,
    batch: Batch = None,
    of_class: OfClass = None,
) -> None:
    """Move waiting tasks, by keys or by what they belong to, to another place of the queue."""
    with refusals(), Studio.open() as studio:
        places = {"front": front, "back": back, "before": before is not None, "after": after is not None}
        wanted = [where for where, is_wanted in places.items() if is_wanted]
        if len(wanted) != 1:
            raise InvalidInputError("Say where to.", hint="One of --front, --back, --before TASK, --after TASK.")
        selection = _selection(tasks, project, person, scene_type, character, batch, of_class)
        say(f"{studio.selections.move(selection, wanted[0], before or after).summary}.")


@queue_app.command("edit")
def edit(
    tasks: Keys = None,
    priority: Annotated[int | None, typer.Option(help="0 to 100.")] = None,
    priority_class: Annotated[str | None, typer.Option("--class", help="Urgent, Normal or Background.")] = None,
    off_peak: Annotated[
        bool | None, typer.Option("--off-peak/--any-hour", help="Start only while nothing else wants the worker.")
    ] = None,
    at: Annotated[datetime | None, typer.Option(help="Start no earlier than this (local time).")] = None,
    now: Annotated[bool, typer.Option("--now", help="Take back the time before which they do not start.")] = False,
    project: Project = None,
    person: Person = None,
    scene_type: SceneType = None,
    character: Character = None,
    batch: Batch = None,
    of_class: OfClass = None,
) -> None:
    """Change priority, class, off-peak or start of waiting tasks, by keys or by what they belong to."""
    with refusals(), Studio.open() as studio:
        given = Edit(priority, _class(priority_class), off_peak, at.astimezone() if at else None, now)
        selection = _selection(tasks, project, person, scene_type, character, batch, of_class)
        say(f"{studio.selections.edit(selection, given).summary}.")


@queue_app.command("undo")
def undo(
    change: Annotated[uuid.UUID | None, typer.Argument(help="Key of a change; your last one if not given.")] = None,
) -> None:
    """Take the last move or edit back, while its tasks still wait as it left them."""
    with refusals(), Studio.open() as studio:
        say(f"{studio.selections.undo(change).summary}.")


@queue_app.command("changes")
def changes(as_json: Json = False) -> None:
    """List who moved and edited what, newest first."""
    with refusals(), Studio.open() as studio:
        show_frame(studio.selections.list(), as_json=as_json, empty="Nobody moved or edited a task yet.")


Scene = Annotated[list[uuid.UUID] | None, typer.Option(help="A scene, by its key.")]
OfProject = Annotated[str | None, typer.Option(help="A project; with the next three, its scenes of these.")]
OfCharacter = Annotated[str | None, typer.Option(help="The scenes of this character.")]
OfSceneType = Annotated[str | None, typer.Option(help="The scenes of this type.")]
OfVariant = Annotated[str | None, typer.Option(help="The scenes of this variant kind.")]
OfBatch = Annotated[uuid.UUID | None, typer.Option(help="A batch.")]
Everything = Annotated[bool, typer.Option("--all", help="The whole studio.")]


@queue_app.command("pause")
def pause(
    tasks: Keys = None,
    everything: Everything = False,
    project: OfProject = None,
    character: OfCharacter = None,
    scene_type: OfSceneType = None,
    variant: OfVariant = None,
    batch: OfBatch = None,
    scene: Scene = None,
    reason: Annotated[str, typer.Option(help="Said to everybody whose work waits for it.")] = "",
) -> None:
    """Pause tasks, scenes, a batch, a project or the studio; takes that run are finished, new work waits too."""
    with refusals(), Studio.open() as studio:
        scope = _scope(tasks, everything, batch, scene, (project, character, scene_type, variant))
        if tasks:
            say(f"{studio.pause(tasks, reason)} tasks are paused.")
        for hold in () if tasks else studio.pauses.pause(scope, reason):
            say(f"Paused: {hold.target}.")


@queue_app.command("resume")
def resume(
    tasks: Keys = None,
    everything: Everything = False,
    project: OfProject = None,
    character: OfCharacter = None,
    scene_type: OfSceneType = None,
    variant: OfVariant = None,
    batch: OfBatch = None,
    scene: Scene = None,
) -> None:
    """Let paused tasks, scenes, a batch, a project or the studio go on."""
    with refusals(), Studio.open() as studio:
        scope = _scope(tasks, everything, batch, scene, (project, character, scene_type, variant))
        if tasks:
            say(f"{studio.resume(tasks)} tasks go on.")
        for hold in () if tasks else studio.pauses.resume(scope):
            say(f"Goes on: {hold.target}.")


@queue_app.command("pauses")
def pauses(as_json: Json = False) -> None:
    """List what is paused, by whom, since when and why."""
    with refusals(), Studio.open() as studio:
        show_frame(studio.pauses.list(), as_json=as_json, empty="Nothing is paused.")


def _scope(
    tasks: Sequence[uuid.UUID] | None, everything: bool, batch: uuid.UUID | None, scenes: Sequence[uuid.UUID] | None,
    names: tuple[str | None, str | None, str | None, str | None],
) -> Scope:  # fmt: skip
    """Return what is paused or goes on, beside tasks; exactly one way to say it is taken."""
    scope = Scope(batch, tuple(scenes or ()), *names)
    if [bool(tasks), scope != Scope(), everything].count(True) != 1:
        raise InvalidInputError("Say what.", hint="Keys of tasks, --project, --batch, --scene, or --all.")
    return scope


def _selection(
    tasks: list[uuid.UUID] | None, project: str | None, person: str | None, scene_type: str | None,
    character: str | None, batch: uuid.UUID | None, of_class: str | None,
) -> Tasks:  # fmt: skip
    if tasks and any((project, person, scene_type, character, batch, of_class)):
        raise InvalidInputError("Give keys of tasks or what they belong to, not both.")
    return Tasks(tuple(tasks or ()), project, person, scene_type, character, batch, _class(of_class))


def _class(name: str | None) -> PriorityClass | None:
    try:
        return PriorityClass(name.capitalize()) if name is not None else None
    except ValueError as error:
        raise InvalidInputError(f"There is no class '{name}'.", hint="Urgent, Normal or Background.") from error
