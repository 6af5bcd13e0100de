"""`notifications`: what you were told. `webhook`: programs outside that are told things."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from x121lib.base.errors import RefusedError
from x121lib.cli.output import note, refusals, say, show, show_frame
from x121lib.studio import Studio

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="The webhook's name.")]
notifications_app = typer.Typer(
    invoke_without_command=True, help="What you were told: failures, budgets, triggers; and what you want to hear of."
)
webhook_app = typer.Typer(no_args_is_help=True, help="Programs outside that triggers tell things, signed and retried.")


@notifications_app.callback()
def notifications(
    context: typer.Context,
    unread: Annotated[bool, typer.Option("--unread", help="Only what was not read yet.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 30,
    as_json: Json = False,
) -> None:
    """List what you were told, the newest first."""
    if context.invoked_subcommand is not None:
        return
    with refusals(), Studio.open() as studio:
        frame = studio.notifications.list(only_unread=unread, limit=limit)
        if not as_json:
            frame["at"] = [f"{at.to_pydatetime().astimezone():%-d %b %H:%M}" for at in frame["at"]]
            frame["read"] = ["" if read else "new" for read in frame["read"]]
            frame = frame.drop(columns=["notification_id", "href", "count"])
        show_frame(frame, as_json=as_json, empty="Nothing: failures, budgets and triggers will be told here.")


@notifications_app.command("read")
def notifications_read(
    keys: Annotated[list[str] | None, typer.Argument(help="Keys of entries; none: all of them.")] = None,
) -> None:
    """Mark entries as read."""
    with refusals(), Studio.open() as studio:
        say(f"{studio.notifications.mark_read(keys or None)} marked as read.")


@notifications_app.command("preferences")
def notifications_preferences(as_json: Json = False) -> None:
    """Show whose matters of each kind you are told about."""
    with refusals(), Studio.open() as studio:
        show(studio.notifications.preferences(), as_json=as_json)


@notifications_app.command("prefer")
def notifications_prefer(
    kind: Annotated[str, typer.Argument(help="E.g. task_failed: 'x121 notifications preferences'.")],
    told: Annotated[str, typer.Argument(help="all, mine or none.")],
) -> None:
    """Choose whose matters of a kind you are told about."""
    with refusals(), Studio.open() as studio:
        studio.notifications.prefer(kind, told)
        say(f"{kind}: {told}.")


@webhook_app.command("add")
def webhook_add(
    name: Name,
    url: Annotated[str, typer.Argument(help="Its address, https.")],
    key: Annotated[bool, typer.Option("--key", help="Read its key from standard input instead of making one.")] = False,
) -> None:
    """Add a webhook; prints its key, with which calls are signed, this once."""
    with refusals(), Studio.open() as studio:
        given = (typer.prompt("Key", hide_input=True) if sys.stdin.isatty() else sys.stdin.read()) if key else None
        made = studio.webhooks.add(name, url, given)
        note(f"The webhook '{name}' is added." + ("" if given else " Its key, shown this once:"))
        if given is None:
            say(made)


@webhook_app.command("list")
def webhook_list(as_json: Json = False) -> None:
    """List the webhooks with how their messages fared."""
    with refusals(), Studio.open() as studio:
        show(studio.webhooks.list(), as_json=as_json, empty="No webhook yet: 'x121 webhook add NAME URL'.")


@webhook_app.command("test")
def webhook_test(name: Name) -> None:
    """Send a test message at once; exit code 1 where it does not get through."""
    with refusals(), Studio.open() as studio:
        outcome = studio.webhooks.test(name)
        if not outcome.ok:
            raise RefusedError(outcome.error, hint=outcome.answer[:200])
        say(f"Delivered: {outcome.http_status} after {outcome.took_s * 1000:.0f} ms.")


@webhook_app.command("log")
def webhook_log(
    name: Annotated[str | None, typer.Argument(help="One webhook; none: all.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 30,
    as_json: Json = False,
) -> None:
    """List the newest messages with how they fared."""
    with refusals(), Studio.open() as studio:
        show(studio.webhooks.log(name, limit=limit), as_json=as_json, empty="No message was sent yet.")


@webhook_app.command("retry")
def webhook_retry(call: Annotated[str, typer.Argument(help="The message's key: 'x121 webhook log --json'.")]) -> None:
    """Send a message again, word for word."""
    with refusals(), Studio.open() as studio:
        studio.webhooks.retry(call)
        say("It is sent again.")


@webhook_app.command("remove")
def webhook_remove(name: Name) -> None:
    """Remove a webhook with its messages and its key."""
    with refusals(), Studio.open() as studio:
        studio.webhooks.remove(name)
        say(f"The webhook '{name}' is removed.")
