"""`api-key`: keys with which programs call the API."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer

from x121lib.cli.output import note, refusals, say, show
from x121lib.studio import Studio
from x121lib.studio.clients import Clients

api_key_app = typer.Typer(no_args_is_help=True, help="API keys: programs that act as a person.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@api_key_app.command("add")
def api_key_add(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    email: Annotated[str | None, typer.Option(help="Address of the person as whom it acts; default: you.")] = None,
) -> None:
    """Make a key and print it, once: only its hash is kept."""
    with refusals(), Studio.open() as studio:
        key = Clients(studio).add_key(name, email=email)
        note("Keep this key: it cannot be shown again. It goes into 'Authorization: Bearer KEY'.")
        say(key)


@api_key_app.command("list")
def api_key_list(as_json: Json = False) -> None:
    """List the keys, never their secrets."""
    with refusals(), Studio.open() as studio:
        show(Clients(studio).keys(), as_json=as_json, empty="No API key yet: 'x121 api-key add NAME'.")


@api_key_app.command("revoke")
def api_key_revoke(key_id: uuid.UUID) -> None:
    """Let a key open nothing any more, from the next request on."""
    with refusals(), Studio.open() as studio:
        Clients(studio).revoke_key(key_id)
        say("The key opens nothing any more.")
