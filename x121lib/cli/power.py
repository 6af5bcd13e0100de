"""`worker power`, `worker wake`, `worker sleep`."""

from __future__ import annotations

from typing import Annotated

import typer

from x121lib.cli.output import refusals, say, show
from x121lib.studio import Studio

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def worker_power(
    name: str,
    idle_minutes: Annotated[float | None, typer.Option(help="Minutes without work after which it sleeps.")] = None,
    wake: Annotated[str | None, typer.Option(help="How it is woken: lan, command or http.")] = None,
    target: Annotated[str, typer.Option(help="MAC address, name of a command in the settings, or URL.")] = "",
    window: Annotated[list[str] | None, typer.Option(help="When it may be awake: 'mon-fri 08:00-22:00'.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Leave its power alone from now on.")] = False,
    as_json: Json = False,
) -> None:
    """Show how a worker's power is switched; with options, set it instead of what was set before."""
    with refusals(), Studio.open() as studio:
        if off or idle_minutes is not None or wake or window:
            studio.power.configure(
                name, idle_minutes=idle_minutes, wake=wake, target=target, windows=tuple(window or ())
            )
        found = studio.power.show(name)
        show([found] if as_json else [{"what": k.replace("_", " "), "value": v} for k, v in found.items()],
             as_json=as_json)  # fmt: skip


def worker_wake(name: str) -> None:
    """Wake a worker now."""
    with refusals(), Studio.open() as studio:
        studio.power.wake(name)
        say(f"The wake-up of {name} is sent.")


def worker_sleep(name: str) -> None:
    """Put an idle worker's host to sleep now; refused in mid-take."""
    with refusals(), Studio.open() as studio:
        studio.power.sleep(name)
        say(f"{name} goes to sleep.")


def add_commands(worker_app: typer.Typer) -> None:
    """Add them to the commands of workers."""
    worker_app.command("power")(worker_power)
    worker_app.command("wake")(worker_wake)
    worker_app.command("sleep")(worker_sleep)
