"""`workflow slots` and `workflow slot …`: what of a workflow may be set from outside."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from x121lib.cli.output import refusals, say, show_frame
from x121lib.studio import Studio

slot_app = typer.Typer(no_args_is_help=True, help="Slots of a workflow version: what may be set from outside.")
Version = Annotated[str, typer.Argument(metavar="VERSION", help="NAME for the newest version, or NAME@NUMBER.")]
Node = Annotated[str | None, typer.Option(help="Only the slot of this node, where several share the name.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Default = Annotated[str | None, typer.Option(help="What is sent where nobody sets it.")]
Label = Annotated[str | None, typer.Option(help="What people call it.")]
Low = Annotated[float | None, typer.Option(help="Smallest number.")]
High = Annotated[float | None, typer.Option(help="Largest number.")]
Step = Annotated[float | None, typer.Option(help="By how much editors change it.")]
Choice = Annotated[list[str] | None, typer.Option(help="A value that it takes; repeat for more.")]


def add_commands(workflow_app: typer.Typer) -> None:
    """Add the commands of this module to `x121 workflow`."""
    workflow_app.command("slots")(workflow_slots)
    workflow_app.add_typer(slot_app, name="slot")


def workflow_slots(version: Version, as_json: Json = False) -> None:
    """List a version's slots: type, range, default, node, and who sets them."""
    with refusals(), Studio.open() as studio:
        frame = studio.workflows.slots(version)
        if not as_json:
            states = {(True, False): "hidden", (False, True): "added", (True, True): "added, hidden"}
            pairs = zip(frame["is_hidden"], frame["is_added"], strict=True)
            frame["state"] = [states.get((bool(h), bool(a)), "") for h, a in pairs]
            frame["default"] = [str(value)[:40] for value in frame["default"]]
            frame = frame[["slot", "type", "range", "default", "label", "node", "input", "state", "set_by"]]
        show_frame(frame, as_json=as_json, empty="Nothing in this graph can be set from outside.")


@slot_app.command("rename")
def slot_rename(version: Version, slot: str, name: str, node: Node = None) -> None:
    """Give a slot another name; scene types and takes that set it follow."""
    with refusals(), Studio.open() as studio:
        studio.workflows.change_slot(version, slot, {"name": name}, node=node)
        say(f"Slot {slot} is {name} now.")


@slot_app.command("hide")
def slot_hide(version: Version, slot: str, node: Node = None) -> None:
    """Let nobody set a slot; its default is sent."""
    with refusals(), Studio.open() as studio:
        studio.workflows.change_slot(version, slot, {"is_hidden": True}, node=node)
        say(f"Slot {slot} is hidden.")


@slot_app.command("show")
def slot_show(version: Version, slot: str, node: Node = None) -> None:
    """Let a hidden slot be set again."""
    with refusals(), Studio.open() as studio:
        studio.workflows.change_slot(version, slot, {"is_hidden": False}, node=node)
        say(f"Slot {slot} can be set.")


@slot_app.command("set")
def slot_set(
    version: Version, slot: str, node: Node = None, default: Default = None,
    file_default: Annotated[bool, typer.Option("--file-default", help="Send what the file says again.")] = False,
    label: Label = None, minimum: Low = None, maximum: High = None, step: Step = None, choice: Choice = None,
) -> None:  # fmt: skip
    """Set a slot's default, label or range."""
    changes = _changes(default=default, label=label, minimum=minimum, maximum=maximum, step=step, choices=choice)
    if file_default:
        changes["default"] = None
    if not changes:
        raise typer.BadParameter("Nothing to set: give --default, --label, --minimum, --maximum, --step or --choice.")
    with refusals(), Studio.open() as studio:
        studio.workflows.change_slot(version, slot, changes, node=node)
        say(f"Slot {slot} is changed.")


@slot_app.command("add")
def slot_add(
    version: Version, node: str, input_name: Annotated[str, typer.Argument(metavar="INPUT")],
    name: Annotated[str | None, typer.Option(help="Its name; default: the input's.")] = None,
    default: Default = None, label: Label = None, minimum: Low = None, maximum: High = None, step: Step = None,
    choice: Choice = None,
) -> None:  # fmt: skip
    """Make an input of a node a slot, with the range that a worker says of it."""
    changes = _changes(name=name, default=default, label=label, minimum=minimum, maximum=maximum, step=step,
                       choices=choice)  # fmt: skip
    with refusals(), Studio.open() as studio:
        found = studio.workflows.add_slot(version, node, input_name, **changes)
        say(f"Slot {found} sets {input_name} of node {node}.")


@slot_app.command("remove")
def slot_remove(version: Version, slot: str, node: Node = None) -> None:
    """Remove a slot that was added."""
    with refusals(), Studio.open() as studio:
        studio.workflows.remove_slot(version, slot, node=node)
        say(f"Slot {slot} is removed.")


@slot_app.command("describe")
def slot_describe(version: Version) -> None:
    """Take ranges and choices anew from what the workers say of their node classes."""
    with refusals(), Studio.open() as studio:
        n = studio.workflows.describe_slots(version)
        say(f"{n} slots have another range." if n else "The workers say nothing new.")


def _changes(**given: Any) -> dict[str, Any]:
    found = {key: value for key, value in given.items() if value is not None}
    for key in ("minimum", "maximum", "step"):
        if key in found and found[key] == int(found[key]):
            found[key] = int(found[key])
    return found
