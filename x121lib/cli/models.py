"""`model`: the library of models and LoRAs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from x121lib.base.errors import InvalidInputError, RefusedError
from x121lib.cli.output import note, refusals, say, show, show_frame, write_text
from x121lib.studio import Studio
from x121lib.terms.vocabulary import ModelStatus

model_app = typer.Typer(no_args_is_help=True, help="Models and LoRAs: inventory, integrity, where each is used.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="The model's path below its folder, its name, or its key.")]
EMPTY = "No model yet: 'x121 model scan FOLDER'."


@model_app.command("scan")
def model_scan(
    folder: Annotated[Path | None, typer.Argument(help="ComfyUI's folder of models; default: X121_MODELS_DIR.")] = None,
    as_json: Json = False,
) -> None:
    """Register what lies in a folder of models; what was hashed before is not read again."""
    with refusals(), Studio.open() as studio:
        done = studio.models.scan(folder, _progress)
        lists = (("new", done.added), ("new version", done.updated), ("missing", done.missing))
        show([{"result": word, "path": path} for word, paths in lists for path in paths],
             as_json=as_json, empty="Nothing has changed.")  # fmt: skip
        note(f"{done.n_files} files, {done.n_hashed} of them read.")
        for path, reason in done.unreadable:
            note(f"{path}: {reason}")
        if done.unreadable:
            raise RefusedError(f"{len(done.unreadable)} files could not be read.", hint="Check their permissions.")


def _progress(done: int, total: int) -> None:
    if total > 0 and (done == total or done % max(1, total // 10) == 0):
        note(f"{done} of {total} files are read.")


@model_app.command("list")
def model_list(
    kind: Annotated[str | None, typer.Option(help="Only this kind, e.g. loras.")] = None, as_json: Json = False
) -> None:
    """List the models with version, status and rating."""
    with refusals(), Studio.open() as studio:
        frame = studio.models.list(kind)
        show_frame(
            frame if as_json else frame.drop(columns=["sha256", "root", "model_id"]), as_json=as_json, empty=EMPTY
        )


@model_app.command("show")
def model_show(name: Name, as_json: Json = False) -> None:
    """Show everything known of a model: versions, trigger words, notes, duplicates."""
    with refusals(), Studio.open() as studio:
        known = studio.models.show(name)
        if as_json:
            show([known], as_json=True)
            return
        versions, notes = known.pop("versions"), known.pop("notes")
        flat = {k: ", ".join(v) if isinstance(v, list) else v for k, v in known.items()}
        show([{"field": k, "value": v} for k, v in flat.items()], as_json=False)
        show(versions, as_json=False, title="versions")
        show(notes, as_json=False, title="notes", empty="No note yet.")


@model_app.command("verify")
def model_verify(names: Annotated[list[str] | None, typer.Argument()] = None, as_json: Json = False) -> None:
    """Read all files, or those named, and compare them with the inventory; exit code 1 if one is not well."""
    with refusals(), Studio.open() as studio:
        found = studio.models.verify(tuple(names or ()), _progress)
        bad = [{"path": path, "status": status.value} for path, status in found if status is not ModelStatus.PRESENT]
        show(bad, as_json=as_json, empty=f"{len(found)} models are as the inventory says.")
        if bad:
            raise RefusedError(
                f"{len(bad)} of {len(found)} models are missing or altered.",
                hint="Bring the files back; after moving files, 'x121 model scan' and 'x121 model repair'.",
            )


@model_app.command("repair")
def model_repair(as_json: Json = False) -> None:
    """Point each missing model at a file with the same content that a scan has found elsewhere."""
    with refusals(), Studio.open() as studio:
        done = studio.models.repair()
        rows = [
            {"was": r.path, "is now": r.found or "nowhere", "still names the old file": ", ".join(r.still_named)}
            for r in done
        ]
        show(rows, as_json=as_json, empty="No model is missing.")
        if any(r.found is None for r in done):
            raise RefusedError("Some files lie nowhere.", hint="Bring them back, then 'x121 model scan'.")


@model_app.command("rate")
def model_rate(name: Name, stars: Annotated[int, typer.Argument(help="1 to 5; 0 takes the rating away.")]) -> None:
    """Rate a model from 1 to 5 stars."""
    with refusals(), Studio.open() as studio:
        studio.models.rate(name, stars or None)
        say(f"{name}: {stars} stars." if stars else f"{name}: no rating.")


@model_app.command("note")
def model_note(
    name: Name,
    text: Annotated[str, typer.Argument(help="What was observed.")],
    other: Annotated[str | None, typer.Option("--with", help="The other model of a pair.")] = None,
    warn: Annotated[
        bool, typer.Option("--warn", help="Say it when a scene type that loads these is submitted.")
    ] = False,
) -> None:
    """Write a note on a model, or on a pair of models."""
    with refusals(), Studio.open() as studio:
        studio.models.note(name, text, other=other, is_warning=warn)
        say("The note is written.")


@model_app.command("remove")
def model_remove(
    name: Name,
    delete_file: Annotated[bool, typer.Option("--delete-file", help="Delete the file too.")] = False,
    keep_file: Annotated[bool, typer.Option("--keep-file", help="Only forget it; a scan lists it again.")] = False,
) -> None:
    """Take a model out of the inventory; refused while something uses it."""
    with refusals(), Studio.open() as studio:
        if delete_file == keep_file:
            raise InvalidInputError("Say what becomes of the file.", hint="--delete-file or --keep-file.")
        studio.models.remove(name, keep_file=keep_file)
        say(f"{name} is removed.")


@model_app.command("uses")
def model_uses(
    name: Name,
    graph: Annotated[Path | None, typer.Option(help="Draw it as an SVG picture into this file instead.")] = None,
    as_json: Json = False,
) -> None:
    """List where a model is used: workflows, scene types, open scenes, takes."""
    with refusals(), Studio.open() as studio:
        if graph is not None:
            write_text(graph, studio.models.graph(name))
            say(str(graph))
            return
        show_frame(studio.models.uses(name), as_json=as_json, empty="Nothing uses it.")


@model_app.command("stale")
def model_stale(name: Annotated[str | None, typer.Argument()] = None, as_json: Json = False) -> None:
    """List the chosen takes that an updated model makes stale, and why."""
    with refusals(), Studio.open() as studio:
        show_frame(studio.models.stale(name), as_json=as_json, empty="No take is stale.")
