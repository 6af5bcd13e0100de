"""The way of a picture: `import`, `variant`, `matrix`, `submit`, `watch`, `review`, `deliver`."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from x121lib.base.errors import InvalidInputError, RefusedError
from x121lib.cli.cells import Cells, cells_of
from x121lib.cli.checks import warn_stuck
from x121lib.cli.output import note, refusals, say, show, show_frame
from x121lib.pipeline.lacking import Missing
from x121lib.pipeline.submission import Selection, Submission
from x121lib.studio import Studio
from x121lib.studio.batch import BatchHandle, paused_words
from x121lib.terms.vocabulary import PriorityClass

variant_app = typer.Typer(no_args_is_help=True, help="Image variants: make, approve, list.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Names = Annotated[list[str] | None, typer.Option("--characters", "-c", help="Only this character; repeat for more.")]


def import_folder(
    project: str,
    folder: Path,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="No real person stands behind these.")] = False,
    performer: Annotated[str | None, typer.Option(help="The real performer behind these.")] = None,
    kind: Annotated[str | None, typer.Option(help="Variant kind of files whose name says nothing.")] = None,
    face: Annotated[
        list[str] | None,
        typer.Option(help="PATH=N: the N-th largest face is the primary one of an image with several; repeat."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look and report only.")] = False,
    as_json: Json = False,
) -> None:
    """Import a folder of portraits: NAME/…/portrait.png becomes the character NAME."""
    with refusals(), Studio.open() as studio:
        result = studio.project(project).import_folder(
            folder, performer=performer, synthetic=synthetic, kind=kind, dry_run=dry_run, faces=_faces(face or [])
        )
        rows = [
            {
                "character": c.name, "images": ", ".join(f"{i.kind} ({i.outcome.label})" for i in c.images),
                "metadata": "yes" if c.metadata is not None else "no",
                "result": _import_word(c.name, c.importable, [i.name for i in result.imported], dry_run),
            }
            for c in result.report.characters
        ]  # fmt: skip
        show(rows, as_json=as_json, empty=f"No image was found below {folder}.")
        for reason in result.refused:
            note(reason)
        if result.refused or not rows:
            raise typer.Exit(1)


def _faces(given: list[str]) -> dict[str, int]:
    """Return the chosen faces of ``PATH=N`` options."""
    chosen = {}
    for item in given:
        path, _, number = item.rpartition("=")
        if not path or not number.isdigit() or int(number) < 1:
            raise InvalidInputError(f"'{item}' chooses no face.", hint="Write PATH=N, e.g. Jane/portrait.png=2.")
        chosen[path] = int(number)
    return chosen


def _import_word(name: str, importable: bool, imported: list[str], dry_run: bool) -> str:
    if name in imported:
        return "imported"
    if importable and dry_run:
        return "would be imported"
    return "refused"


@variant_app.command("make")
def variant_make(
    project: str, kind: Annotated[str, typer.Option(help="Variant kind to make.")], characters: Names = None
) -> None:
    """Queue the generation of a variant kind for characters that lack it."""
    with refusals(), Studio.open() as studio:
        n = studio.project(project).make_variants(kind, characters=characters or [])
        say(f"{n} images are queued." if n else "Nothing to make: every character has one.")
        _say_when_idle(studio, n)


@variant_app.command("approve")
def variant_approve(
    project: str,
    kind: Annotated[str, typer.Option(help="Variant kind to approve.")],
    characters: Names = None,
    version: Annotated[int | None, typer.Option(help="Version number; the newest if not given.")] = None,
) -> None:
    """Approve a variant's newest image as the one that scenes start from."""
    with refusals(), Studio.open() as studio:
        for name in studio.project(project).approve_variants(kind, characters=characters or [], version=version):
            say(f"{name}: '{kind}' is approved.")


@variant_app.command("list")
def variant_list(project: str, as_json: Json = False) -> None:
    """List a project's image variants."""
    with refusals(), Studio.open() as studio:
        frame = studio.project(project).variants()
        shown = frame if as_json else frame.drop(columns="sha256")
        show_frame(shown, as_json=as_json, empty="No image yet: 'x121 import'.")


def matrix(project: str, as_json: Json = False) -> None:
    """Show characters × scene types × variants with the status of each, and what blocks it."""
    with refusals(), Studio.open() as studio:
        frame = studio.project(project).matrix().frame.drop(columns="scene_id")
        show_frame(frame, as_json=as_json, empty="No scene to plan yet: import characters and load scene types.")


def submit(
    project: str,
    characters: Names = None,
    scene_types: Annotated[list[str] | None, typer.Option("--scene-types", "-s", help="Only this scene type.")] = None,
    variants: Annotated[list[str] | None, typer.Option("--variants", "-v", help="Only this variant kind.")] = None,
    cell: Cells = None,
    tier: Annotated[str | None, typer.Option(help="Tier; the project's default if not given.")] = None,
    at: Annotated[datetime | None, typer.Option(help="Start no earlier than this (local time).")] = None,
    priority: Annotated[str, typer.Option(help="Urgent, Normal or Background.")] = "Normal",
    off_peak: Annotated[
        bool, typer.Option("--off-peak", help="Start only while nothing else wants the worker.")
    ] = False,
    skip_blocked: Annotated[bool, typer.Option("--skip-blocked", help="Submit what can be made.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be queued.")] = False,
    over_budget: Annotated[
        bool, typer.Option("--over-budget", help="Pass the budgets; an Admin's right, granted and audited.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Queue scenes: all that are not made yet, or those selected."""
    with refusals(), Studio.open() as studio:
        try:
            priority_class = PriorityClass(priority.capitalize())
        except ValueError as error:
            raise RefusedError(f"There is no priority '{priority}'.", hint="Urgent, Normal or Background.") from error
        selection = Selection(
            tuple(characters or ()), tuple(scene_types or ()), tuple(variants or ()), tier, priority_class,
            at.astimezone() if at else None, off_peak, skip_blocked, over_budget, cells_of(cell),
        )  # fmt: skip
        done = studio.project(project).submit_selection(selection, dry_run=dry_run)
        _show_submission(done, dry_run=dry_run, as_json=as_json)
        warn_stuck(studio, project, selection)
        _say_when_idle(studio, done.n_takes)
        if paused := paused_words(studio, studio.project(project).project_id):
            note(paused)


def _show_submission(done: Submission, *, dry_run: bool, as_json: bool) -> None:
    for warned in done.warnings:
        note(f"Warning: {warned}")
    for words in done.budgets:
        note(f"Budget: {words}")
    for need in done.needs:
        if need.lacking.what == Missing.METADATA:  # what no worker can run is told with the check of the batch
            some = ", ".join(map(str, need.cells[:3])) + (f" and {len(need.cells) - 3} more" if need.cells[3:] else "")
            note(f"{need.lacking.text[:1].upper()}{need.lacking.text[1:]}: {some}. {need.lacking.solve}.")
    rows = [
        {"result": word, **{k: v for k, v in dataclasses.asdict(cell).items() if k != "scene_id"},
         "status": cell.status.value if as_json else cell.status.label}
        for word, cells in (("queue", done.planned), ("there already", done.present), ("blocked", done.blocked))
        for cell in cells
    ]  # fmt: skip
    if as_json or dry_run:
        show(rows, as_json=as_json)
    if not as_json:
        verb = "would be queued" if dry_run else "are queued"
        say(f"{len(done.planned)} scenes {verb}, {len(done.present)} were there already, {len(done.blocked)} blocked.")


def _say_when_idle(studio: Studio, queued: int) -> None:
    if queued and not studio.work.has_consumer():
        note("No consumer runs, so nothing will start: run 'x121 up' (or 'x121 consumer').")


def watch(project: str) -> None:
    """Follow a project's work until nothing is left to do; Ctrl-C stops the watching only."""
    with refusals(), Studio.open() as studio:
        handle = studio.project(project)
        batch = BatchHandle(studio, handle, Submission(None, (), (), (), 0))
        _say_when_idle(studio, batch.progress().open)
        last = batch.watch()
        if last.failed or last.scenes.get("Failed"):
            raise RefusedError("Some scenes failed.", hint=f"'x121 review {project}' names the reasons.")


def review(
    project: str,
    approve_passing: Annotated[
        bool, typer.Option("--approve-passing", help="Approve every scene in review of which no gate failed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List a project's scenes with their worst gate, or approve what passed."""
    with refusals(), Studio.open() as studio:
        handle = studio.project(project)
        if approve_passing:
            approved, left = handle.approve_passing()
            (note if as_json else say)(f"{len(approved)} scenes approved, {len(left)} left for a person.")
        show_frame(handle.scenes().drop(columns="scene_id"), as_json=as_json, empty="No scene yet: 'x121 submit'.")


def deliver(
    project: str,
    out: Annotated[Path, typer.Option(help="The ZIP file to write.")],
    partial: Annotated[bool, typer.Option("--partial", help="Deliver what is approved; leave out the rest.")] = False,
    characters: Names = None,
) -> None:
    """Write the delivery's ZIP; refuses while a scene is missing or unapproved, unless --partial."""
    with refusals(), Studio.open() as studio:
        package = studio.project(project).deliver(out, partial=partial, characters=characters or [])
        note(f"{package.n_files} files, {package.n_bytes} bytes, SHA-256 {package.sha256}")
        say(str(package.path))
