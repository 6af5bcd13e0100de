"""Write ``docs/command-line.md`` from the commands themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from x121lib.cli.commands import app

TARGET = Path(__file__).resolve().parents[1] / "docs" / "command-line.md"

HEAD = """# Command line

Made by `python -m tools.command_line` from the commands; do not edit by hand.

Exit codes: 0 done, 1 refused or failed with one clear line on stderr, 2 wrong usage. Commands that list take
`--json`. Results go to stdout, remarks and progress to stderr. Commands start the database when it is down, and the
last X121 process stops it. `x121 COMMAND --help` says the same as this page.
"""


def page() -> str:
    """Return the page's text."""
    root: Any = typer.main.get_command(app)
    return HEAD + "".join(_section(path, command) for path, command in _walk(root, "x121"))


def _walk(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        full = f"{path} {name}"
        if hasattr(command, "commands"):
            yield from _walk(command, full)
        else:
            yield full, command


def _section(path: str, command: Any) -> str:
    shown = [p for p in command.params if p.name != "help" and not getattr(p, "hidden", False)]
    arguments = [_metavar(p) for p in shown if p.param_type_name == "argument"]
    options = [p for p in shown if p.param_type_name == "option"]
    usage = " ".join([path, *arguments, *(["[OPTIONS]"] if options else [])])
    text = f"\n## `{usage}`\n\n{' '.join((command.help or '').split())}\n"
    if options:
        text += "\n" + "".join(_line(p) for p in options)
    return text


def _metavar(argument: Any) -> str:
    name = argument.metavar or str(argument.name).upper()
    return name if argument.required else f"[{name}]"


def _line(option: Any) -> str:
    names = ", ".join(f"`{n}`" for n in [*option.opts, *option.secondary_opts])
    needed = " (needed)" if option.required and not option.prompt else ""
    return f"- {names}{needed}: {' '.join((option.help or '').split())}\n"


def main() -> int:
    """Write the page; with ``--check`` only say whether it is current."""
    if "--check" in sys.argv[1:]:
        current = TARGET.is_file() and TARGET.read_text(encoding="utf-8") == page()
        if not current:
            print("docs/command-line.md is not what the commands say: run python -m tools.command_line")
        return 0 if current else 1
    TARGET.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
