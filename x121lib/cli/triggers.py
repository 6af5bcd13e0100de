"""`trigger`: when this happens there, and that holds, do this."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from x121lib.cli.output import note, refusals, say, show
from x121lib.studio import Studio

trigger_app = typer.Typer(no_args_is_help=True, help="Triggers: when this happens there, and that holds, do this.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="The trigger's name.")]
_LISTED = ("trigger", "enabled", "event", "scope", "when", "do", "otherwise", "fired", "last")


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: ", ".join(map(str, v)) if isinstance(v, list) else v for k, v in row.items()}


@trigger_app.command("add")
def trigger_add(file: Annotated[Path, typer.Argument(help="The rule, a TOML file: docs/triggers.md.")]) -> None:
    """Add a trigger; one that costs GPU time starts disabled."""
    with refusals(), Studio.open() as studio:
        row = studio.triggers.add(file)
        say(f"The trigger '{row['trigger']}' is added" + (" and enabled." if row["enabled"] else "."))
        if not row["enabled"]:
            note(f"It costs GPU time: an Admin enables it with 'x121 trigger enable \"{row['trigger']}\"'.")


@trigger_app.command("change")
def trigger_change(
    name: Name, file: Annotated[Path, typer.Argument(help="The new rule, a TOML file.")]
) -> None:  # fmt: skip
    """Give a trigger another rule; it then acts with your rights. Firings that wait under the old rule are refused."""
    with refusals(), Studio.open() as studio:
        was = studio.triggers.show(name)["enabled"]
        row = studio.triggers.change(name, file)
        say(f"The trigger '{row['trigger']}' is changed.")
        if was and not row["enabled"]:
            note(f"It costs GPU time: an Admin enables it again with 'x121 trigger enable \"{row['trigger']}\"'.")


@trigger_app.command("list")
def trigger_list(as_json: Json = False) -> None:
    """List the triggers."""
    with refusals(), Studio.open() as studio:
        rows = studio.triggers.list()
        shown = rows if as_json else [_plain({k: row[k] for k in _LISTED}) for row in rows]
        show(shown, as_json=as_json, empty="No trigger yet: 'x121 trigger add FILE.toml'.")
        for row in () if as_json else rows:
            if row["unreadable"]:
                note(
                    f"{row['unreadable'].rstrip('.')}: it can not be read and does not act. Give it another rule "
                    f"with 'x121 trigger change \"{row['trigger']}\" FILE.toml', or remove it."
                )


@trigger_app.command("show")
def trigger_show(name: Name, as_json: Json = False) -> None:
    """Show a trigger with its rule and its newest firings."""
    with refusals(), Studio.open() as studio:
        row = studio.triggers.show(name)
        if as_json:
            show([row], as_json=True)
            return
        for key, value in _plain(row).items():
            if key != "rule" and value not in (None, ""):
                say(f"{key.replace('_', ' '):>15}  {value}")
        _print_log(studio.triggers.log(name, limit=5))


@trigger_app.command("enable")
def trigger_enable(name: Name) -> None:
    """Let a trigger act from now on, with your rights."""
    with refusals(), Studio.open() as studio:
        studio.triggers.enable(name)
        say(f"The trigger '{name}' is enabled.")


@trigger_app.command("disable")
def trigger_disable(name: Name) -> None:
    """Let a trigger act no more."""
    with refusals(), Studio.open() as studio:
        studio.triggers.disable(name)
        say(f"The trigger '{name}' is disabled.")


@trigger_app.command("dry-run")
def trigger_dry_run(
    rule: Annotated[str, typer.Argument(help="A trigger's name, or a TOML file that was not added.")],
    last: Annotated[int, typer.Option(min=1, max=200, help="How many of the newest events to look at.")] = 20,
    event: Annotated[int | None, typer.Option(help="One event instead, by its number.")] = None,
    as_json: Json = False,
) -> None:
    """Say what a trigger would do now for past events; nothing is done."""
    with refusals(), Studio.open() as studio:
        rows = studio.triggers.dry_run(Path(rule) if rule.endswith(".toml") else rule, last=last, event_id=event)
        shown = rows if as_json else [{k: v for k, v in row.items() if k != "at"} for row in rows]
        show(shown, as_json=as_json, empty="None of these events would set it off.")


@trigger_app.command("log")
def trigger_log(
    name: Annotated[str | None, typer.Argument(help="One trigger; none: all.")] = None,
    task: Annotated[uuid.UUID | None, typer.Option(help="Only what queued this GPU task.")] = None,
    scene: Annotated[uuid.UUID | None, typer.Option(help="Only what has to do with this scene.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: Json = False,
) -> None:
    """Say what triggers did: cause, actions with their results, what followed."""
    with refusals(), Studio.open() as studio:
        rows = studio.triggers.log(name, scene_id=scene, task_id=task, limit=limit)
        if as_json:
            show(rows, as_json=True)
            return
        if not rows:
            say("No trigger has fired yet.")
        _print_log(rows)


def _print_log(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        after = f", after '{row['after']}'" if row["after"] else ""
        say(f"{row['at'].astimezone():%-d %b %H:%M:%S}  {row['trigger']}: {row['status']}  "
            f"({row['event']} of {row['about']}, event {row['event_id']}{after})")  # fmt: skip
        if row["message"] and not any(row["message"] == a["said"] for a in row["actions"]):
            say(f"    {row['message']}")
        for action in row["actions"]:
            say(f"    {action['action']}: {action['status']}  {action['said']}")
        for effect in row["effects"]:
            say(f"      → {effect}")


@trigger_app.command("remove")
def trigger_remove(name: Name) -> None:
    """Remove a trigger; its log stays."""
    with refusals(), Studio.open() as studio:
        studio.triggers.remove(name)
        say(f"The trigger '{name}' is removed.")
