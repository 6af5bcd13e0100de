"""Who runs the database server: PostgreSQL refuses root, so root lends it an unprivileged system user."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from x121lib.store.errors import NoServerUserError

_NAME = "x121"
_FALLBACKS = ("postgres", "nobody")
_USERADD_OPTIONS = (
    "--system",
    "--user-group",
    "--no-create-home",
    "--home-dir=/nonexistent",
    "--shell=/usr/sbin/nologin",
    "--comment=X121 database",
)
_CLEAN_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class ServerUser:
    """The user that the server runs as.

    Attributes:
        uid: its user id.
        gid: its group id.
        switch: whether X121 must switch to it (X121 itself runs as root).
    """

    uid: int
    gid: int
    switch: bool

    def popen_options(self) -> dict[str, Any]:
        """Return what `subprocess` needs: this user, a clean environment, an own session, no folder of ours."""
        options: dict[str, Any] = {
            "env": dict(_CLEAN_ENVIRONMENT),
            "cwd": "/",
            "start_new_session": True,
        }
        if self.switch:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def run(self, arguments: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as this user; output is captured, stderr after stdout in one text."""
        return subprocess.run(
            [str(argument) for argument in arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            umask=0o077,
            **self.popen_options(),
        )

    def can_enter(self, folder: Path) -> bool:
        """Return whether this user can reach what lies in ``folder``: asked of the kernel, not read from modes."""
        return not self.switch or self.run(["/bin/sh", "-c", 'test -x "$1"', "sh", folder]).returncode == 0

    def give(self, path: Path) -> None:
        """Make ``path`` this user's own (only where X121 runs as root)."""
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def owner_of(path: Path) -> ServerUser:
    """Return the user that owns an existing database folder: the server must go on as the same one."""
    found = path.stat()
    return ServerUser(found.st_uid, found.st_gid, switch=os.geteuid() == 0)


def choose_server_user() -> ServerUser:
    """Return this process's own user, or for root the system user `x121`, made if it is missing.

    Raises:
        NoServerUserError: root, and neither `x121` nor any known unprivileged user exists.
    """
    if os.geteuid() != 0:
        return ServerUser(os.geteuid(), os.getegid(), switch=False)
    for name in (_NAME, *_FALLBACKS):
        if name == _NAME:
            _add_user()
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return ServerUser(entry.pw_uid, entry.pw_gid, switch=True)
    raise NoServerUserError(
        "X121 runs as root, and there is no unprivileged user for the database server.",
        hint=f"Add one (useradd --system {_NAME}), or run X121 as another user.",
    )


def _add_user() -> None:
    try:
        pwd.getpwnam(_NAME)
        return
    except KeyError:
        tool = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if tool is not None:
        # A failure (a read-only /etc, another process adding the same user) is seen by the lookup that follows.
        subprocess.run(
            [tool, *_USERADD_OPTIONS, _NAME],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=20,
        )
