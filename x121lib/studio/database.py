"""The database on its own, without opening the studio: upgrade, status, dump, restore, removal."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from x121lib.base.secrets import ensure_private_dir
from x121lib.base.settings import Settings
from x121lib.scheduling import auditing
from x121lib.store import embedded, migrations, pgtools
from x121lib.store.session import Database


class StudioDatabase:
    """The studio's database, embedded or not, as a context manager."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server: embedded.EmbeddedServer | None = None
        self._database: Database | None = None

    def __enter__(self) -> Self:
        if self._settings.database_url is not None:
            url = self._settings.database_url.get_secret_value()
        else:
            ensure_private_dir(self._settings.home)
            self._server = embedded.EmbeddedServer(self._settings)
            url = self._server.acquire()
        self._database = Database(url)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._database is not None:
            self._database.dispose()
        if self._server is not None:
            self._server.release()

    @property
    def database(self) -> Database:
        """The open database."""
        if self._database is None:
            raise RuntimeError("use StudioDatabase in a with block")
        return self._database

    def upgrade(self) -> Path | None:
        """Upgrade the schema; returns the backup made before it, if any."""
        self.database.check()
        return migrations.upgrade(self.database, backup_dir=self._settings.home / "backups")

    def status(self) -> migrations.SchemaStatus:
        """Return where the schema stands."""
        return migrations.status(self.database)

    def facts(self) -> dict[str, Any]:
        """Return schema, place and users of the database."""
        status = self.status()
        facts: dict[str, Any] = {
            "schema": status.current, "needed": status.head, "up_to_date": status.up_to_date,
            "server": "embedded" if self._server else "X121_DATABASE_URL",
        }  # fmt: skip
        if self._server is not None:
            server = self._server.status()
            facts |= {"version": server.version, "port": server.port, "data_dir": str(server.data_dir)}
        return facts

    def audit(self) -> list[str]:
        """Return what can not be right in the queue and its accounts, in words; none on a healthy studio."""
        with self.database.transaction() as session:
            return auditing.audit(session, datetime.now(UTC))

    def dump(self, to: Path) -> None:
        """Write the whole database to a file."""
        pgtools.dump(self.database.url, to)

    def restore(self, source: Path) -> Path:
        """Replace the database by a dump; returns the dump of what was there before."""
        backups = self._settings.home / "backups"
        backups.mkdir(parents=True, exist_ok=True)
        before = backups / f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S}.dump"
        pgtools.dump(self.database.url, before)
        pgtools.restore(self.database.url, source)
        return before


def uninstall(settings: Settings, *, purge: bool) -> list[Path]:
    """Stop the embedded server and, with ``purge``, delete its data folder and `X121_HOME`; returns what went.

    Raises:
        RefusedError: some X121 process still uses the studio.
    """
    if not purge:
        embedded.EmbeddedServer(settings).stop()
        return []
    embedded.remove(settings)
    if settings.home.exists():
        shutil.rmtree(settings.home)
    return [settings.home]
