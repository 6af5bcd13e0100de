"""`budget`: GPU hours per project and person."""

from __future__ import annotations

from typing import Annotated

import typer

from x121lib.base.errors import RefusedError
from x121lib.cli.output import note, refusals, say, show_frame
from x121lib.studio import Studio
from x121lib.studio.budgets import Terms

budget_app = typer.Typer(no_args_is_help=True, help="Budgets: GPU hours per project and per person.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Key = Annotated[str, typer.Argument(help="The budget's key: 'x121 budget list --json'.")]
Person = Annotated[str | None, typer.Option(help="A person's e-mail address.")]
_PLACES = {"limit_h": 1, "allowed_h": 1, "used_h": 2, "reserved_h": 2, "left_h": 2, "percent": 0, "days_left": 1}


@budget_app.command("set")
def budget_set(
    hours: Annotated[float, typer.Argument(help="GPU hours per period.")],
    project: Annotated[str | None, typer.Option(help="The project whose budget it is.")] = None,
    person: Person = None,
    each_person: Annotated[bool, typer.Option("--each-person", help="Each person by themselves.")] = False,
    period: Annotated[str, typer.Option(help="day, week (from Monday), month or total.")] = "total",
    warn_at: Annotated[list[int] | None, typer.Option(help="Percent at which people are warned.")] = None,
    soft: Annotated[bool, typer.Option("--soft", help="Only warn; refuse nothing.")] = False,
    rollover: Annotated[bool, typer.Option("--rollover", help="Carry what is left into the next period.")] = False,
    exempt: Annotated[list[str] | None, typer.Option(help="A tier, or 'variant', that does not count.")] = None,
) -> None:
    """Set a budget instead of the same holder's one of that period."""
    with refusals(), Studio.open() as studio:
        terms = Terms(tuple(warn_at if warn_at is not None else (75, 90)), not soft, rollover, tuple(exempt or ()))
        key = studio.budgets.set(
            hours, period=period, project=project, person=person, each_person=each_person, terms=terms
        )
        say(str(key))


@budget_app.command("list")
def budget_list(as_json: Json = False) -> None:
    """List the budgets with what is used, reserved and left, and when they run out."""
    with refusals(), Studio.open() as studio:
        frame = studio.budgets.list()
        if not as_json:
            for column, places in _PLACES.items():
                frame[column] = ["" if v is None else f"{v:.{places}f}" for v in frame[column]]
            for column in ("runs_out_on", "resets_on"):
                frame[column] = ["" if v is None else f"{v:%Y-%m-%d}" for v in frame[column]]
            frame = frame.drop(columns=["budget_id", "limit_h", "days_left"])
        show_frame(frame, as_json=as_json, empty="No budget yet: 'x121 budget set HOURS --project NAME'.")


@budget_app.command("grant")
def budget_grant(
    key: Key,
    hours: Annotated[float, typer.Argument(help="GPU hours more; below zero, fewer.")],
    reason: Annotated[str, typer.Option(help="Why; it is audited.")],
    person: Person = None,
) -> None:
    """Give more GPU hours in the present period only."""
    with refusals(), Studio.open() as studio:
        studio.budgets.grant(key, hours, reason, person=person)
        say(f"{hours:g} GPU h are granted for this period.")


@budget_app.command("remove")
def budget_remove(key: Key) -> None:
    """Remove a budget with what was counted; what it held goes on."""
    with refusals(), Studio.open() as studio:
        studio.budgets.remove(key)
        say("The budget is removed.")


@budget_app.command("audit")
def budget_audit() -> None:
    """Compare every counter with the sum of what it counts; exit code 1 where one differs."""
    with refusals(), Studio.open() as studio:
        found = studio.budgets.audit()
        for line in found:
            note(line)
        if found:
            raise RefusedError(f"{len(found)} counters differ from their sums.", hint="Report this as a fault.")
        say("Every counter equals its sum.")
