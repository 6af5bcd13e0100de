"""How commands print: tables for people, JSON for scripts, one clear line for an error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from x121lib.base.errors import RefusedError, X121Error

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn an `X121Error` into one line on stderr and exit code 1."""
    try:
        yield
    except X121Error as error:
        err.print(f"x121: {error}", markup=False)
        raise typer.Exit(1) from error


def show(rows: Sequence[dict[str, Any]], *, as_json: bool, title: str = "", empty: str = "Nothing yet.") -> None:
    """Print rows as JSON, or as a table with a hint where there are none."""
    if as_json:
        sys.stdout.write(json.dumps(list(rows), default=str, ensure_ascii=False, indent=2) + "\n")
        return
    if not rows:
        out.print(empty, markup=False)
        return
    table = Table(title=title or None, title_justify="left")
    for column in rows[0]:
        table.add_column(column.replace("_", " "))
    for row in rows:
        table.add_row(*(_cell(v) for v in row.values()))
    out.print(table)


def show_frame(frame: Any, *, as_json: bool, title: str = "", empty: str = "Nothing yet.") -> None:
    """Print a data frame the same way."""
    clean = frame.astype(object).where(frame.notna(), None)
    show(clean.to_dict("records"), as_json=as_json, title=title, empty=empty)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value).replace("[", r"\[")


def write_text(path: Path, text: str) -> None:
    """Write a file of text; raises `RefusedError` where it can not be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RefusedError(f"{path} can not be written: {error.strerror}.", hint="Give another file.") from error


def say(text: str) -> None:
    """Print a plain line to stdout."""
    out.print(text, markup=False)


def note(text: str) -> None:
    """Print a plain line to stderr, so that stdout stays clean for results."""
    err.print(text, markup=False)
