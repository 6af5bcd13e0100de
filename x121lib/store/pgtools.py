"""Dump and restore with the bundled PostgreSQL tools."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from x121lib.media.atomic import whole_file
from x121lib.store.errors import BackupError, DiskFullError, NoEmbeddedBuildError
from x121lib.store.server_files import Install, find_install

_FULL = ("No space left on device", "File too large", "Disk quota exceeded")


def dump(url: str, to: Path) -> None:
    """Write the whole database to ``to`` in PostgreSQL's custom format; it appears whole or not at all.

    Args:
        url: libpq URL (a SQLAlchemy driver name in it is ignored).
        to: the file; an older one is replaced. Mode 0600, for it holds personal data.

    Raises:
        BackupError: the tools are missing or older than the server, or the database cannot be read.
        DiskFullError: there is no room.
    """
    install = _tools_for(url)
    with whole_file(to) as part:
        part.parent.mkdir(parents=True, exist_ok=True)
        part.touch(mode=0o600)
        _run(
            install,
            "pg_dump",
            url,
            ["--format=custom", "--no-owner", f"--file={part}"],
            to,
        )


def restore(url: str, source: Path) -> None:
    """Replace the contents of a database by those of a dump, in one transaction: all of it or nothing.

    Objects that the dump does not know stay as they are.

    Raises:
        BackupError: no such file, no dump, tools missing or older than the server, or the database refused.
    """
    if not source.is_file():
        raise BackupError(f"There is no dump {source}.", hint="Make one with: x121 db dump FILE")
    install = _tools_for(url)
    options = [
        "--clean",
        "--if-exists",
        "--no-owner",
        "--single-transaction",
        "--exit-on-error",
        str(source),
    ]
    _run(install, "pg_restore", url, options, source)


def _plain(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return scheme.partition("+")[0] + separator + rest


def _tools_for(url: str) -> Install:
    """Return the bundled tools after checking that they are as new as the server."""
    try:
        install = find_install()
    except NoEmbeddedBuildError as error:
        raise BackupError(
            f"The tools for dumps are missing: {error.message}",
            hint="Use pg_dump and pg_restore of your server.",
        ) from error
    try:
        with psycopg.connect(_plain(url), connect_timeout=10) as connection:
            server = connection.info.server_version // 10_000
    except psycopg.Error as error:
        raise BackupError(f"The database cannot be reached: {error}.", hint="Try: x121 db status") from error
    if server > install.major:
        raise BackupError(
            f"The database server is PostgreSQL {server}; the bundled tools are older ({install.major}).",
            hint=f"Use pg_dump and pg_restore of PostgreSQL {server}.",
        )
    return install


def _run(install: Install, tool: str, url: str, options: list[str], file: Path) -> None:
    """Run a tool; the password goes through its environment, never through the list of processes."""
    given = conninfo_to_dict(_plain(url))
    password = str(given.pop("password", None) or "")
    target = make_conninfo("", **{key: value for key, value in given.items() if value is not None})
    done = subprocess.run(
        [str(install.tool(tool)), f"--dbname={target}", "--no-password", *options],
        env={
            "PATH": "/usr/bin:/bin",
            "LC_ALL": "C",
            "HOME": os.path.expanduser("~"),
            "PGPASSWORD": password,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return
    if any(reason in done.stderr for reason in _FULL):
        raise DiskFullError(file.parent, file.stat().st_size if file.exists() else 0)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    raise BackupError(f"{tool} failed on {file}: " + " | ".join(lines[-3:] or ["it said nothing"]))
