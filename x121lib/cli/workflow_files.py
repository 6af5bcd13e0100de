"""`workflow import`, `show`, `export` and `diff`: files, and a version's graph alone and beside another."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from x121lib.catalogue.importing import Imported
from x121lib.cli.checks import warn_lacking
from x121lib.cli.output import note, refusals, say, show, show_frame, write_text
from x121lib.studio import Studio
from x121lib.studio.workflow_imports import FileResult

Version = Annotated[str, typer.Argument(metavar="VERSION", help="NAME for the newest version, or NAME@NUMBER.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add_commands(workflow_app: typer.Typer) -> None:
    """Add the commands of this module to `x121 workflow`."""
    workflow_app.command("import")(workflow_import)
    workflow_app.command("show")(workflow_show)
    workflow_app.command("export")(workflow_export)
    workflow_app.command("diff")(workflow_diff)


def workflow_import(
    path: Annotated[Path | None, typer.Argument(metavar="[FILE|FOLDER]", help="In a folder: every .json file.")] = None,
    worker: Annotated[str | None, typer.Option(help="Pull what people saved on this worker's ComfyUI.")] = None,
    file: Annotated[list[str] | None, typer.Option(help="Of the worker, only this file; repeat for more.")] = None,
    only_list: Annotated[bool, typer.Option("--list", help="Only list what the worker has.")] = False,
    name: Annotated[str | None, typer.Option(help="Name of the workflow, for one file; default: the file's.")] = None,
    repeats_seed_frame: Annotated[bool, typer.Option(help="Its video's first frame is the seed frame again.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Import workflows in ComfyUI's API form, or in its editor's form while a worker is online.

    Each file by itself: one that is refused changes nothing and stops no other; then the exit code is 1.
    """
    if (path is None) == (worker is None):
        raise typer.BadParameter("Give a file or folder, or --worker.")
    one = file[0] if file and len(file) == 1 else None
    if name is not None and (worker is not None and one is None):
        raise typer.BadParameter("--name is for one file: give --file.")
    with refusals(), Studio.open() as studio:
        flows = studio.workflows
        if worker is not None and only_list:
            show_frame(flows.worker_files(worker), as_json=as_json, empty=f"Nobody saved a workflow on {worker}.")
        elif worker is not None and one is not None:
            _say_imported(
                studio, flows.import_worker_file(worker, one, name=name, repeats_seed_frame=repeats_seed_frame)
            )
        elif worker is not None:
            _say_results(flows.import_from_worker(worker, file or (), repeats_seed_frame=repeats_seed_frame), as_json)
        elif path is not None and path.is_dir():
            if name is not None:
                raise typer.BadParameter("--name is for one file.")
            _say_results(flows.import_folder(path, repeats_seed_frame=repeats_seed_frame), as_json)
        elif path is not None:
            _say_imported(studio, flows.import_file(path, name=name, repeats_seed_frame=repeats_seed_frame))


def _say_imported(studio: Studio, done: Imported) -> None:
    say(f"Workflow {done.name} {done.number} is {'imported' if done.is_new else 'known already'}.")
    for line in done.lines:
        note(line)
    if done.users:
        note(f"Set by {', '.join(done.users)}: 'x121 workflow upgrade' refuses that until it is taken out there.")
    warn_lacking(studio, done.name)


def _say_results(results: Sequence[FileResult], as_json: bool) -> None:
    show([asdict(result) for result in results], as_json=as_json, empty="There is nothing to import.")
    if any(result.result == "refused" for result in results):
        raise typer.Exit(1)


def workflow_show(version: Version, as_json: Json = False) -> None:
    """Show a version's nodes with their values and links."""
    with refusals(), Studio.open() as studio:
        found = studio.workflows.show(version)
        if as_json:
            show([found], as_json=True)
            return
        title = f"{found['workflow']} {found['version']} ({found['status']})"
        show([_node(key, node) for key, node in found["graph"].items()], as_json=False, title=title)
        say(f"Slots: {', '.join(found['slots']) or 'none'}.")


def workflow_export(
    version: Version, out: Annotated[Path | None, typer.Option(help="File; default: print it.")] = None
) -> None:
    """Write a version's graph in ComfyUI's API form."""
    with refusals(), Studio.open() as studio:
        text = json.dumps(studio.workflows.show(version)["graph"], indent=2, ensure_ascii=False) + "\n"
        if out is None:
            sys.stdout.write(text)
            return
        write_text(out, text)
        say(f"{out} is written.")


def workflow_diff(
    before: Annotated[str, typer.Argument(metavar="A", help="NAME@NUMBER, or NAME.")],
    after: Annotated[str | None, typer.Argument(metavar="[B]", help="Without it: A with the version before.")] = None,
    text: Annotated[bool, typer.Option("--text", help="As a difference of texts.")] = False,
    as_json: Json = False,
) -> None:
    """Tell how workflow version B differs from A: nodes, values, links and slots."""
    with refusals(), Studio.open() as studio:
        found = studio.workflows.compare(before, after)
        if as_json:
            sys.stdout.write(json.dumps({**found.facts(), "text": found.text}, indent=2, ensure_ascii=False) + "\n")
            return
        lines = [found.text] if text and found.text else [] if text else found.lines()
        for line in lines or [f"{found.before} and {found.after} do the same."]:
            say(line)


def _node(key: str, node: dict[str, Any]) -> dict[str, str]:
    values = [
        f"{name} ← {value[0]}.{value[1]}" if isinstance(value, list) else f"{name} = {str(value)[:40]}"
        for name, value in node["inputs"].items()
    ]
    meta = node.get("_meta")
    title = str(meta.get("title") or "") if isinstance(meta, dict) else ""
    return {"node": key, "class": node["class_type"], "title": title, "inputs": ", ".join(values)}
