"""`retake` and `retake-policy`: takes made anew, by hand and by policy."""

from __future__ import annotations

from typing import Annotated

import typer

from x121lib.base.errors import InvalidInputError
from x121lib.cli.debug import parsed
from x121lib.cli.output import refusals, say, show_frame
from x121lib.generation.retakes import Policy
from x121lib.studio import Studio

retake_policy_app = typer.Typer(no_args_is_help=True, help="Which takes are retaken by themselves after a failed gate.")
Project = Annotated[str | None, typer.Option(help="A project.")]
SceneType = Annotated[str | None, typer.Option(help="A scene type; its policy goes before its project's.")]


def retake(
    project: str,
    character: str,
    scene_type: str,
    variant: str,
    from_segment: Annotated[int, typer.Option(help="First segment that is made anew; earlier ones stay.")] = 1,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", help="slot=value for the new takes in place of the recipe's; JSON or text; repeat."),
    ] = None,
) -> None:
    """Make a scene's takes anew from a segment on, with other parameters if wished; the old takes stay."""
    with refusals(), Studio.open() as studio:
        changes = parsed(values or [])
        scene = studio.project(project).scene(character, scene_type, variant)
        n = studio.retake(scene.scene_id, from_segment, changes)
        say(f"{n} takes are queued, from segment {from_segment} on.")


def retakes(
    project: str,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what X121 retook by itself in a project: what failed, what was changed, what was used."""
    with refusals(), Studio.open() as studio:
        show_frame(studio.project(project).retakes(), as_json=as_json, empty="Nothing was retaken by itself.")


@retake_policy_app.command("list")
def policy_list(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the retake policies."""
    with refusals(), Studio.open() as studio:
        show_frame(studio.retakes.list(), as_json=as_json, empty="No policy: a failed gate always waits for a person.")


@retake_policy_app.command("set")
def policy_set(
    project: Project = None,
    scene_type: SceneType = None,
    most: Annotated[int, typer.Option(help="Retakes of one segment at most, 1 to 20.")] = 3,
    best_of: Annotated[int, typer.Option(help="Retakes side by side; the best of those that pass is used.")] = 1,
    gate: Annotated[
        list[str] | None, typer.Option(help="Metric whose failed gate is reason enough; repeat; default: any.")
    ] = None,
    vary: Annotated[
        list[str] | None, typer.Option(help="slot=RANGE: a retake's value is up to RANGE from the recipe's; repeat.")
    ] = None,
    phrase: Annotated[
        list[str] | None, typer.Option(help="Words that a retake adds to the prompt; repeat, they are used in turn.")
    ] = None,
) -> None:
    """Let X121 retake segments that fail a gate; each retake has a new seed and is charged to the budget."""
    with refusals(), Studio.open() as studio:
        policy = Policy(most, best_of, frozenset(gate or []), dict(_spread(v) for v in vary or []), tuple(phrase or []))
        studio.retakes.set(policy, project=project, scene_type=scene_type)
        say(f"Takes of {project or scene_type} that fail a gate are retaken up to {most} times.")


@retake_policy_app.command("remove")
def policy_remove(project: Project = None, scene_type: SceneType = None) -> None:
    """Remove a policy: what fails a gate from now on waits for a person."""
    with refusals(), Studio.open() as studio:
        studio.retakes.remove(project=project, scene_type=scene_type)
        say(f"Takes of {project or scene_type} are no longer retaken by their own policy.")


def _spread(given: str) -> tuple[str, float]:
    slot, sign, text = given.partition("=")
    try:
        if not sign or not slot:
            raise ValueError(given)
        return slot, float(text)
    except ValueError as error:
        raise InvalidInputError(f"'{given}' is not slot=RANGE.", hint="For example cfg=0.5.") from error
