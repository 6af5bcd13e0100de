"""`project`, `scene-type`, `variant-kind`, `workflow`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from x121lib.cli.checks import warn_lacking
from x121lib.cli.output import note, refusals, say, show, show_frame
from x121lib.studio import Studio

project_app = typer.Typer(no_args_is_help=True, help="Projects.")
scene_type_app = typer.Typer(no_args_is_help=True, help="Scene types: recipes for scenes.")
variant_kind_app = typer.Typer(no_args_is_help=True, help="Variant kinds: the seed images that the studio uses.")
workflow_app = typer.Typer(no_args_is_help=True, help="ComfyUI workflows.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@project_app.command("create")
def project_create(
    name: str, tier: Annotated[str, typer.Option(help="Default tier: Draft, Preview, Production.")] = "Production"
) -> None:
    """Create a project."""
    with refusals(), Studio.open() as studio:
        studio.create_project(name, tier=tier)
        say(f"Project {name} is there. Next: x121 import '{name}' FOLDER --synthetic")


@project_app.command("list")
def project_list(as_json: Json = False) -> None:
    """List the projects."""
    with refusals(), Studio.open() as studio:
        show_frame(studio.projects(), as_json=as_json, empty="No project yet: 'x121 project create NAME'.")


@project_app.command("show")
def project_show(name: str, as_json: Json = False) -> None:
    """Show a project's characters and its scenes by status."""
    with refusals(), Studio.open() as studio:
        project = studio.project(name)
        show_frame(project.characters().drop(columns="character_id"), as_json=as_json, title=project.name,
                   empty="No character yet: 'x121 import PROJECT FOLDER'.")  # fmt: skip
        if not as_json:
            show([{"status": s, "scenes": n} for s, n in project.summary().items()], as_json=False,
                 empty="No scene yet: 'x121 submit PROJECT'.")  # fmt: skip


@scene_type_app.command("load")
def scene_type_load(files: Annotated[list[Path], typer.Argument(metavar="FILE…")]) -> None:
    """Load scene types from TOML files; a changed file becomes a new version."""
    with refusals(), Studio.open() as studio:
        for file in files:
            name = studio.load_scene_type(file)
            say(f"Scene type {name} is loaded.")
            for warned in studio.models.warnings(name):
                note(f"Warning: {warned}")
            warn_lacking(studio, studio.checks.workflow_of(name))


@scene_type_app.command("list")
def scene_type_list(as_json: Json = False) -> None:
    """List the scene types."""
    with refusals(), Studio.open() as studio:
        show_frame(studio.scene_types(), as_json=as_json, empty="No scene type yet: 'x121 scene-type load FILE'.")


@variant_kind_app.command("add")
def variant_kind_add(
    name: str,
    prefix: Annotated[str, typer.Option(help="Prefix of its videos' file names, e.g. 'evening_'.")],
    workflow: Annotated[
        Path | None,
        typer.Option(
            help="Workflow file (API form, or the editor's while a worker is online) that makes it from the source."
        ),
    ] = None,
) -> None:
    """Add a variant kind, or give a known one its workflow."""
    with refusals(), Studio.open() as studio:
        studio.add_variant_kind(name, prefix=prefix, workflow=workflow)
        say(f"Variant kind {name} is there.")


@workflow_app.command("list")
def workflow_list(as_json: Json = False) -> None:
    """List the workflows' versions with status, use and slots."""
    with refusals(), Studio.open() as studio:
        show_frame(studio.workflows.list(), as_json=as_json, empty="No workflow yet: 'x121 workflow import FILE'.")


@workflow_app.command("versions")
def workflow_versions(name: str, as_json: Json = False) -> None:
    """List one workflow's versions with status, use and slots."""
    with refusals(), Studio.open() as studio:
        show_frame(studio.workflows.list(name), as_json=as_json, empty=f"There is no workflow '{name}'.")


@workflow_app.command("status")
def workflow_status(
    name: str,
    status: Annotated[str, typer.Argument(help="Draft, Tested or Production.")],
    version: Annotated[int | None, typer.Option(help="Default: the newest.")] = None,
) -> None:
    """Say how far a workflow version is trusted; a version is tested before production."""
    with refusals(), Studio.open() as studio:
        studio.workflows.set_status(name, status, version=version)
        say(f"Workflow {name} is {status.capitalize()}.")


@workflow_app.command("memory")
def workflow_memory(
    name: str,
    gib: Annotated[float | None, typer.Argument(metavar="[GIB]", help="GPU memory in GiB; nothing for any.")] = None,
    version: Annotated[int | None, typer.Option(help="Default: the newest.")] = None,
) -> None:
    """State the GPU memory that a worker must have to run a workflow version."""
    with refusals(), Studio.open() as studio:
        studio.workflows.set_memory(name, gib, version=version)
        say(f"Workflow {name} needs {gib:g} GiB of GPU memory." if gib else f"Workflow {name} runs with any memory.")


@workflow_app.command("upgrade")
def workflow_upgrade(
    scene_types: Annotated[list[str], typer.Argument(metavar="SCENE_TYPE…")],
    version: Annotated[int | None, typer.Option("--to", help="Workflow version; default: the newest.")] = None,
) -> None:
    """Let scene types refer to another version of their workflow; planned scenes keep theirs."""
    with refusals(), Studio.open() as studio:
        for scene_type in scene_types:
            done = studio.workflows.upgrade(scene_type, version=version)
            moved = "".join(f" {before} is {after} there." for before, after in done.renamed)
            say(f"{scene_type} {done.version}: {done.workflow} {done.before} → {done.after}.{moved}")
