"""`worker …`: GPU workers."""

from __future__ import annotations

from typing import Annotated

import typer

from x121lib.cli.output import refusals, say, show, show_frame
from x121lib.studio import Studio

worker_app = typer.Typer(no_args_is_help=True, help="GPU workers: ComfyUI servers that run takes.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@worker_app.command("add")
def worker_add(
    url: str,
    name: Annotated[str | None, typer.Option(help="Name that people see.")] = None,
    slots: Annotated[int, typer.Option(min=1, max=16, help="Takes that it runs at once.")] = 1,
    tag: Annotated[list[str] | None, typer.Option(help="Capability tag; repeat for more.")] = None,
) -> None:
    """Add a ComfyUI server as a GPU worker; what is no ComfyUI is refused."""
    with refusals(), Studio.open() as studio:
        key = studio.workers.add(url, name=name, slots=slots, tags=tuple(tag or ()))
        studio.work.check_workers()
        row = studio.workers.list().set_index("worker_id").loc[key]
        say(f"Worker {row['name']} is {row['status']}. {row['version'] and 'ComfyUI ' + row['version']}")


@worker_app.command("list")
def worker_list(as_json: Json = False) -> None:
    """List the GPU workers."""
    with refusals(), Studio.open() as studio:
        frame = studio.workers.list()
        show_frame(
            frame if as_json else frame.drop(columns="worker_id"),
            as_json=as_json,
            empty="No GPU worker yet: 'x121 worker add URL'.",
        )


@worker_app.command("show")
def worker_show(name: str, as_json: Json = False) -> None:
    """Show what is known of a worker: device, models, node classes, mean seconds per take."""
    with refusals(), Studio.open() as studio:
        found = studio.workers.show(name)
        if as_json:
            show([found], as_json=True)
            return
        many = {"node_classes": "node classes", "models": "model files"}
        rows = [
            {"what": key.replace("_", " "), "value": f"{len(value)} {many[key]}" if key in many else value}
            for key, value in found.items()
            if key not in ("speed", "loaded")
        ]
        rows.append({"what": "loaded", "value": ", ".join(found["loaded"])})
        show(rows, as_json=False, title=found["name"])
        if found["speed"]:
            show(found["speed"], as_json=False)


@worker_app.command("set")
def worker_set(
    name: str,
    rename: Annotated[str | None, typer.Option(help="Another name.")] = None,
    slots: Annotated[int | None, typer.Option(min=1, max=16, help="Takes that it runs at once.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Capability tags from now on; repeat for more.")] = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Take all tags away.")] = False,
) -> None:
    """Give a worker another name, other slots or other tags."""
    with refusals(), Studio.open() as studio:
        tags = () if no_tags else tuple(tag) if tag else None
        studio.workers.change(name, rename=rename, slots=slots, tags=tags)
        say(f"Worker {rename or name} is changed.")


@worker_app.command("drain")
def worker_drain(name: str) -> None:
    """Let a worker finish what it runs and send it nothing more."""
    with refusals(), Studio.open() as studio:
        studio.workers.drain(name)
        say(f"Worker {name} finishes what it runs and gets nothing more.")


@worker_app.command("maintenance")
def worker_maintenance(name: str, reason: Annotated[str, typer.Option(help="Why, for its history.")] = "") -> None:
    """Take a worker out for work on it; it finishes what it runs."""
    with refusals(), Studio.open() as studio:
        studio.workers.maintenance(name, reason)
        say(f"Worker {name} is in maintenance. 'x121 worker resume {name}' takes it back.")


@worker_app.command("resume")
def worker_resume(name: str) -> None:
    """Take a worker back that was drained, in maintenance or set aside."""
    with refusals(), Studio.open() as studio:
        studio.workers.reopen(name)
        studio.work.check_workers()
        status = studio.workers.list().set_index("name").loc[studio.workers.show(name)["name"], "status"]
        say(f"Worker {name} is {status}.")


@worker_app.command("remove")
def worker_remove(name: str) -> None:
    """Remove a worker; its history stays."""
    with refusals(), Studio.open() as studio:
        studio.workers.remove(name)
        say(f"Worker {name} is removed.")


@worker_app.command("history")
def worker_history(name: str, as_json: Json = False) -> None:
    """Show a worker's changes of status, newest first."""
    with refusals(), Studio.open() as studio:
        show_frame(studio.workers.history(name), as_json=as_json, title=name)


@worker_app.command("require")
def worker_require(workflow: str, tags: Annotated[list[str] | None, typer.Argument(metavar="[TAG…]")] = None) -> None:
    """Let a workflow run only on workers that have all these tags; without tags it runs everywhere again."""
    with refusals(), Studio.open() as studio:
        studio.workers.require_tags(workflow, tuple(tags or ()))
        say(f"{workflow} runs on workers with {', '.join(tags)}." if tags else f"{workflow} runs on every worker.")
