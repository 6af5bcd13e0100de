"""`schedule`: submissions that come again and again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import pandas as pd
import typer

from x121lib.base.errors import InvalidInputError
from x121lib.cli.output import refusals, say, show, show_frame
from x121lib.studio import Studio
from x121lib.studio.schedules import NewSchedule, SetSchedule
from x121lib.terms.vocabulary import PriorityClass

schedule_app = typer.Typer(no_args_is_help=True, help="Submissions that come again and again.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@schedule_app.command("add")
def schedule_add(
    name: str,
    project: str,
    cron: Annotated[str, typer.Option(help="Minute, hour, day of month, month, day of week; or @daily, @weekly, ….")],
    zone: Annotated[str, typer.Option(help="Time zone by its IANA name, e.g. Europe/Berlin.")] = "UTC",
    characters: Annotated[list[str] | None, typer.Option("--characters", "-c", help="Only this character.")] = None,
    scene_types: Annotated[list[str] | None, typer.Option("--scene-types", "-s", help="Only this scene type.")] = None,
    variants: Annotated[list[str] | None, typer.Option("--variants", "-v", help="Only this variant kind.")] = None,
    tier: Annotated[str | None, typer.Option(help="Tier; the project's at each run if not given.")] = None,
    priority: Annotated[str, typer.Option(help="Urgent, Normal or Background.")] = "Normal",
    off_peak: Annotated[bool, typer.Option("--off-peak", help="Start only while nothing else wants a worker.")] = False,
    failed_only: Annotated[bool, typer.Option("--failed-only", help="Only scenes that have failed.")] = False,
    run_missed: Annotated[
        bool, typer.Option("--run-missed/--skip-missed", help="Make up for times that were missed by one run.")
    ] = False,
) -> None:
    """Submit scenes of a project again and again, as you: all that are not made yet, or those selected."""
    with refusals(), Studio.open() as studio:
        given = NewSchedule(
            name, project, cron, zone, tuple(characters or ()), tuple(scene_types or ()), tuple(variants or ()), tier,
            _class(priority), off_peak, failed_only, run_missed,
        )  # fmt: skip
        studio.schedules.add(given)
        frame = studio.schedules.list().set_index("schedule")
        say(f"Schedule {name} is set; next {_local(frame.loc[name.strip(), 'next_due_at'])}.")


def _class(name: str) -> PriorityClass:
    try:
        return PriorityClass(name.capitalize())
    except ValueError as error:
        raise InvalidInputError(f"There is no class '{name}'.", hint="Urgent, Normal or Background.") from error


@schedule_app.command("change")
def schedule_change(
    name: str,
    new_name: Annotated[str | None, typer.Option("--name", help="Another name.")] = None,
    project: Annotated[str | None, typer.Option(help="Another project.")] = None,
    cron: Annotated[str | None, typer.Option(help="Minute, hour, day of month, month, day of week; or @daily.")] = None,
    zone: Annotated[str | None, typer.Option(help="Time zone by its IANA name.")] = None,
    characters: Annotated[list[str] | None, typer.Option("--characters", "-c", help="These; '' for all.")] = None,
    scene_types: Annotated[list[str] | None, typer.Option("--scene-types", "-s", help="These; '' for all.")] = None,
    variants: Annotated[list[str] | None, typer.Option("--variants", "-v", help="These; '' for all.")] = None,
    tier: Annotated[str | None, typer.Option(help="Tier; '' for the project's at each run.")] = None,
    priority: Annotated[str | None, typer.Option(help="Urgent, Normal or Background.")] = None,
    off_peak: Annotated[
        bool | None, typer.Option("--off-peak/--any-hour", help="Start only while nothing else wants a worker.")
    ] = None,
    failed_only: Annotated[
        bool | None, typer.Option("--failed-only/--all-open", help="Only scenes that have failed.")
    ] = None,
    run_missed: Annotated[
        bool | None, typer.Option("--run-missed/--skip-missed", help="Make up for times that were missed by one run.")
    ] = None,
) -> None:
    """Change a schedule in place; what is not given stays. Where it submits something else then, it does so as you."""
    wanted: dict[str, Any] = {
        "name": new_name, "project": project, "cron": cron, "zone": zone, "tier": tier, "off_peak": off_peak,
        "characters": _names(characters), "scene_types": _names(scene_types), "variants": _names(variants),
        "failed_only": failed_only, "runs_missed": run_missed,
    }  # fmt: skip
    with refusals(), Studio.open() as studio:
        given = {key: value for key, value in wanted.items() if value is not None}
        if priority is not None:
            given["priority_class"] = _class(priority)
        if not given:
            raise InvalidInputError(
                "Nothing was given to change.", hint="'x121 schedule change --help' has the options."
            )
        was, done = _change(studio, name, given)
        whose = f" It submits as {done.person} now." if done.person != was.person else ""
        say(f"Schedule {done.given.name} is changed.{whose}")


def _change(studio: Studio, name: str, given: dict[str, Any]) -> tuple[SetSchedule, SetSchedule]:
    """Return a schedule as it was and as it is after a change."""
    was = studio.schedules.show(name)
    if was.n_lost and not {"characters", "scene_types", "variants"} & set(given):
        raise InvalidInputError(
            f"{was.n_lost} of what '{was.given.name}' chooses was deleted since.",
            hint="Say what it is to choose: -c, -s or -v, with '' for all.",
        )
    return was, studio.schedules.change(str(was.schedule_id), replace(was.given, **given), version=was.version)


def _names(given: list[str] | None) -> tuple[str, ...] | None:
    return tuple(name for name in given if name) if given is not None else None


@schedule_app.command("list")
def schedule_list(as_json: Json = False) -> None:
    """List the schedules with their next time and what became of the last."""
    with refusals(), Studio.open() as studio:
        frame = studio.schedules.list()
        shown = frame if as_json else _short(frame)
        show_frame(shown, as_json=as_json, empty="No schedule yet: 'x121 schedule add'.")


def _short(frame: pd.DataFrame) -> pd.DataFrame:
    if frame.empty:
        return frame
    columns = ["schedule", "cron", "zone", "project", "person", "enabled", "next_due_at", "last_outcome"]
    return frame[columns].assign(next_due_at=[_local(at) for at in frame["next_due_at"]])


def _local(at: datetime | None) -> str:
    """Return a moment in this machine's time; empty for none."""
    return "" if at is None or pd.isna(at) else f"{pd.Timestamp(at).to_pydatetime().astimezone():%Y-%m-%d %H:%M %Z}"


@schedule_app.command("show")
def schedule_show(name: str, as_json: Json = False) -> None:
    """Show a schedule."""
    with refusals(), Studio.open() as studio:
        studio.schedules.runs(name, 1)  # raises for an unknown one
        frame = studio.schedules.list()
        wanted = frame[(frame["schedule"].str.lower() == name.lower()) | (frame["schedule_id"].astype(str) == name)]
        clean = wanted.astype(object).where(wanted.notna(), None).to_dict("records")
        rows = clean if as_json else [{"what": key, "value": str(value)} for key, value in clean[0].items()]
        show(rows, as_json=as_json)


@schedule_app.command("enable")
def schedule_enable(name: str) -> None:
    """Let a schedule run from its next time on."""
    with refusals(), Studio.open() as studio:
        at = studio.schedules.enable(name)
        say(f"Schedule {name} is enabled; next {_local(at)}.")


@schedule_app.command("disable")
def schedule_disable(name: str) -> None:
    """Let a schedule run no more until it is enabled; times that pass meanwhile are not missed."""
    with refusals(), Studio.open() as studio:
        studio.schedules.disable(name)
        say(f"Schedule {name} is disabled.")


@schedule_app.command("remove")
def schedule_remove(name: str) -> None:
    """Remove a schedule with its log; what it submitted stays."""
    with refusals(), Studio.open() as studio:
        studio.schedules.remove(name)
        say(f"Schedule {name} is removed.")


@schedule_app.command("runs")
def schedule_runs(name: str, as_json: Json = False) -> None:
    """List what became of a schedule's last times."""
    with refusals(), Studio.open() as studio:
        show_frame(studio.schedules.runs(name), as_json=as_json, empty="It has not run yet.")


@schedule_app.command("run-now")
def schedule_run_now(name: str) -> None:
    """Run a schedule at once, as its person, besides its times."""
    with refusals(), Studio.open() as studio:
        ran = studio.schedules.run_now(name)
        say(f"{ran.outcome}: {ran.n_scenes} scenes, {ran.n_takes} takes. {ran.message}")
