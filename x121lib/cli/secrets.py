"""`secret`: tokens that the studio needs, encrypted at rest."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from x121lib.cli.output import refusals, say, show
from x121lib.studio import Studio

secret_app = typer.Typer(no_args_is_help=True, help="Tokens of other sites, encrypted at rest and never shown.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@secret_app.command("set")
def secret_set(name: Annotated[str, typer.Argument(help="E.g. huggingface or civitai.")]) -> None:
    """Keep a secret; its value is asked for, or read from standard input, never from the command line."""
    with refusals(), Studio.open() as studio:
        value = typer.prompt("Value", hide_input=True) if sys.stdin.isatty() else sys.stdin.read()
        studio.secrets.set(name, value)
        say(f"The secret '{name}' is kept.")


@secret_app.command("list")
def secret_list(as_json: Json = False) -> None:
    """List the names of the secrets, never their values."""
    with refusals(), Studio.open() as studio:
        show(studio.secrets.list(), as_json=as_json, empty="No secret yet: 'x121 secret set NAME'.")


@secret_app.command("remove")
def secret_remove(name: str) -> None:
    """Forget a secret."""
    with refusals(), Studio.open() as studio:
        studio.secrets.remove(name)
        say(f"The secret '{name}' is forgotten.")
