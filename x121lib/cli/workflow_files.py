"""`workflow show`, `export` and `diff`: a version's graph, alone and beside another."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from x121lib.cli.output import refusals, say, show, write_text
from x121lib.studio import Studio

Version = Annotated[str, typer.Argument(metavar="VERSION", help="NAME for the newest version, or NAME@NUMBER.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add_commands(workflow_app: typer.Typer) -> None:
    """Add the commands of this module to `x121 workflow`."""
    workflow_app.command("show")(workflow_show)
    workflow_app.command("export")(workflow_export)
    workflow_app.command("diff")(workflow_diff)


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
