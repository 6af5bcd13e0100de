"""`model download|downloads|pause|resume|cancel`: fetching models from other sites."""

from __future__ import annotations

from typing import Annotated

import typer

from x121lib.base.errors import InvalidInputError, RefusedError
from x121lib.cli.output import note, refusals, say, show_frame
from x121lib.studio import Studio

Key = Annotated[str, typer.Argument(help="The download's key, or the path or name of its file.")]
Worker = Annotated[str | None, typer.Option(help="A worker that the model is being sent to, instead of a download.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def model_download(
    address: Annotated[str, typer.Argument(help="https://…, hf:OWNER/REPO/PATH@REVISION, or a CivitAI page.")],
    sha256: Annotated[str | None, typer.Option(help="Hash that the file must have.")] = None,
    kind: Annotated[str | None, typer.Option(help="What it is, e.g. loras; where the address does not say.")] = None,
    name: Annotated[str | None, typer.Option(help="File name here; default: the site's.")] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Download it although the same file is known.")] = False,
    now: Annotated[bool, typer.Option("--now", help="Download it in this process, and wait for it.")] = False,
) -> None:
    """Queue the download of a model; it is checked, put in its folder and registered."""
    with refusals(), Studio.open() as studio:
        key = studio.downloads.add(address, sha256=sha256, kind=kind, name=name, anyway=anyway)
        say(str(key))
        if now:
            while studio.downloads.show(key)["status"] == "queued" and studio.downloads.run_next():
                pass
            found = studio.downloads.show(key)
            if found["status"] != "complete":
                raise RefusedError(f"'{found['path']}' is {found['status']}: {found['trouble']}")
            note(f"{found['path']} is here, {found['n_bytes']} bytes.")
        elif not studio.work.has_consumer():
            note("It waits: no consumer runs. Start 'x121 up', or add --now.")


def model_downloads(as_json: Json = False) -> None:
    """List the downloads with progress, rate and time left."""
    with refusals(), Studio.open() as studio:
        frame = studio.downloads.list()
        wide = ["sha256", "address", "model_id"]
        show_frame(
            frame if as_json else frame.drop(columns=wide), as_json=as_json,
            empty="No download yet: 'x121 model download ADDRESS'.",
        )  # fmt: skip


def model_pause(key: Key, worker: Worker = None) -> None:
    """Pause a download, or a model's way to a worker; what was received stays."""
    with refusals(), Studio.open() as studio:
        if worker is None:
            studio.downloads.pause(key)
        else:
            studio.placements.pause(key, worker)
        say(f"{key} is paused.")


def model_resume(key: Key, worker: Worker = None) -> None:
    """Go on with a paused or failed download, or a model's way to a worker, from where it stands."""
    with refusals(), Studio.open() as studio:
        if worker is None:
            studio.downloads.resume(key)
        else:
            studio.placements.resume(key, worker)
        say(f"{key} goes on.")


def model_cancel(key: Key, worker: Worker = None) -> None:
    """End a download, or a model's way to a worker, and delete what was received of it."""
    with refusals(), Studio.open() as studio:
        if worker is None:
            studio.downloads.cancel(key)
        else:
            studio.placements.cancel(key, worker)
        say(f"{key} is cancelled.")


def model_distribute(
    name: Annotated[str, typer.Argument(help="The model's path below its folder, its name, or its key.")],
    worker: Annotated[list[str] | None, typer.Option(help="A worker's name; repeat for more.")] = None,
    tag: Annotated[str | None, typer.Option(help="All workers with this tag that have an agent.")] = None,
    to_all: Annotated[bool, typer.Option("--all", help="All workers that have an agent.")] = False,
    now: Annotated[bool, typer.Option("--now", help="Send it in this process, and wait for it.")] = False,
) -> None:
    """Send a model to the hosts of workers through their agents."""
    with refusals(), Studio.open() as studio:
        if [bool(worker), tag is not None, to_all].count(True) != 1:
            raise InvalidInputError("Say where the model goes.", hint="--worker NAME, --tag TAG or --all.")
        queued = studio.placements.add(name, worker or None, tag=tag)
        say(f"{name} goes to {', '.join(queued)}." if queued else f"{name} is there or on its way already.")
        if now:
            while studio.placements.run_next():
                pass
            show_frame(studio.placements.list(name), as_json=False)
        elif queued and not studio.work.has_consumer():
            note("It waits: no consumer runs. Start 'x121 up', or add --now.")


def model_placements(name: Annotated[str | None, typer.Argument()] = None, as_json: Json = False) -> None:
    """List which models were sent to which workers, and how far they are."""
    with refusals(), Studio.open() as studio:
        show_frame(
            studio.placements.list(name), as_json=as_json, empty="No model was sent yet: 'x121 model distribute NAME'."
        )


def add_commands(app: typer.Typer) -> None:
    """Add the commands to `model`."""
    for name, command in (
        ("download", model_download), ("downloads", model_downloads), ("pause", model_pause),
        ("resume", model_resume), ("cancel", model_cancel), ("distribute", model_distribute),
        ("placements", model_placements),
    ):  # fmt: skip
        app.command(name)(command)
