"""`workflow check` and `check`: what is missing where, before work begins."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from x121lib.cli.output import note, refusals, say, show
from x121lib.pipeline.preflight import Preflight
from x121lib.pipeline.submission import Selection
from x121lib.studio import Studio
from x121lib.studio.checks import preflight_rows, worker_rows
from x121lib.studio.mending import READ, Step

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
        "has it": ", ".join([*finding["others"], *(["the library"] if finding["library"] else [])]),
    }


def check(
    project: str,
    characters: Annotated[list[str] | None, typer.Option("--characters", "-c", help="Only this character.")] = None,
    scene_types: Annotated[list[str] | None, typer.Option("--scene-types", "-s", help="Only this scene type.")] = None,
    variants: Annotated[list[str] | None, typer.Option("--variants", "-v", help="Only this variant kind.")] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended, after asking.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Check a batch before it runs: which scenes can run where, what is missing; exit 1 where something is."""
    selection = Selection(tuple(characters or ()), tuple(scene_types or ()), tuple(variants or ()))
    with refusals(), Studio.open() as studio:
        found = studio.checks.project(project, selection, fresh=True)
        steps = studio.checks.plan(found) if found.stuck else ()
        if as_json:
            show([preflight_rows(found, steps)], as_json=True)
        else:
            _say_preflight(found)
        mends = [step for step in steps if step.kind != READ]
        if fix and found.stuck:
            found = _mend(studio, project, selection, steps, yes=yes)
        elif mends and not as_json:
            note(f"{len(mends)} things can be mended: 'x121 check {project} --fix'.")
        if not found.fine:
            raise typer.Exit(1)


def _say_preflight(found: Preflight) -> None:
    rows = [
        {
            "scene type": g.scene_type, "workflow": f"{g.workflow} {g.version}", "scenes": len(g.scenes),
            "runs on": ", ".join([*g.ready, *g.away]), "problem": g.reason,
        }
        for g in found.groups
    ]  # fmt: skip
    rows += [{"scene type": "", "workflow": "", "scenes": len(b.scenes), "runs on": "", "problem": b.reason}
             for b in found.blocked]  # fmt: skip
    show(rows, as_json=False, empty="No scene is left to be made.")
    for group in found.groups:
        if group.unknown:
            note(f"{group.scene_type}: not known what {', '.join(group.unknown)} has; it was never asked with success.")
    if found.held:
        note(found.held)
    if found.disk_bytes is not None:
        note(f"The takes will need about {found.disk_bytes / 1e6:,.0f} MB of disk, as earlier ones did.")


def _mend(studio: Studio, project: str, selection: Selection, steps: tuple[Step, ...], *, yes: bool) -> Preflight:
    for step in steps:
        note(f"- {step}")
    if yes or typer.confirm("Do this?", err=True):
        for done in studio.checks.fix(steps):
            (say if done.ok else note)(f"{done.text}.".replace("..", "."))
    return studio.checks.project(project, selection)


def warn_stuck(studio: Studio, project: str, selection: Selection) -> None:
    """Say which of the selected scenes can run nowhere, and the command that tells more."""
    for group in studio.checks.project(project, selection).stuck:
        note(f"Warning: {len(group.scenes)} scenes of {group.scene_type} can run nowhere now. {group.reason} "
             f"'x121 check {project}' tells all.")  # fmt: skip


def warn_lacking(studio: Studio, workflow: str) -> None:
    """Say what a workflow's newest version lacks on the workers that said what they have."""
    for row in worker_rows(studio.checks.workflow(workflow)):
        if row["findings"]:
            cells = [finding_cells(finding) for finding in row["findings"]]
            said = "; ".join(f"{c['finding']}: {c['what']}" for c in cells[:3])
            more = f"; and {len(cells) - 3} more" if len(cells) > 3 else ""
            note(f"Warning: {row['worker']} can not run {workflow}. {said}{more}. 'x121 workflow check {workflow}'.")
