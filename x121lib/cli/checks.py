"""`workflow check`: what is missing where, before work begins."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from x121lib.cli.output import refusals, show
from x121lib.studio import Studio
from x121lib.studio.checks import worker_rows

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add_commands(workflow_app: typer.Typer) -> None:
    """Add the commands of this module to `x121 workflow`."""
    workflow_app.command("check")(workflow_check)


def workflow_check(
    name: str,
    version: Annotated[int | None, typer.Option(help="Default: the newest.")] = None,
    worker: Annotated[str | None, typer.Option(help="Only this worker.")] = None,
    as_json: Json = False,
) -> None:
    """Check a workflow's version against every worker: node classes, models, links, types and values; exit 1 if any."""
    with refusals(), Studio.open() as studio:
        check = studio.checks.workflow(name, version=version, worker=worker, fresh=True)
        rows = worker_rows(check)
        show(rows if as_json else [line for row in rows for line in _lines(row)], as_json=as_json,
             empty="No GPU worker to check against: 'x121 worker add URL'.")  # fmt: skip
        if any(row["findings"] for row in rows):
            raise typer.Exit(1)


def _lines(row: dict[str, Any]) -> list[dict[str, str]]:
    """Return a worker's rows for a terminal: one per finding."""
    head = {
        "worker": f"{row['worker']} ({row['state']})",
        "finding": row["result"],
        "where": "",
        "what": "",
        "has it": "",
    }
    return [head | finding_cells(finding) for finding in row["findings"]] or [head]


def finding_cells(finding: dict[str, Any]) -> dict[str, str]:
    """Return the cells of a finding."""
    node = f"node {finding['node_id']} ({finding['node_class']})" if finding["node_id"] else ""
    what = f"{finding['folder']}/{finding['name']}" if finding["folder"] else finding["name"]
    pack = f" (pack {finding['pack']})" if finding["pack"] else ""
    users = f" [{', '.join(finding['scene_types'])}]" if finding["scene_types"] else ""
    return {
        "finding": finding["kind"].replace("_", " "),
        "where": " ".join(part for part in (node, finding["input_name"]) if part),
        "what": f"{what}{pack}: {finding['detail']}{users}" if what else f"{finding['detail']}{users}",
        "has it": ", ".join(finding["others"]),
    }
