"""All wiring, by hand, readable from top to bottom."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from x121lib.access import service as people
from x121lib.base.clock import system_now, type_now
from x121lib.base.resources import resource_path
from x121lib.base.secrets import ensure_private_dir
from x121lib.base.settings import Settings
from x121lib.catalogue.defaults import ensure_defaults
from x121lib.events import notifications, outbox
from x121lib.intake.metadata import FieldSpec, load_fields
from x121lib.intake.service import ensure_fields
from x121lib.pipeline import triggers
from x121lib.pipeline.house import House
from x121lib.qa import service as qa
from x121lib.store import migrations
from x121lib.store.artifacts import ArtifactStore
from x121lib.store.embedded import EmbeddedServer
from x121lib.store.session import Database
from x121lib.terms.roles import SYSTEM, Actor

_PREPARE_LOCK = 0x58313233
"""Advisory lock: processes that start at once on an empty database write the default rows in turn."""


@dataclass
class Opened:
    """A studio that is open: its house, and what must be closed."""

    house: House
    """The rooms' shared things."""
    administrator: Actor
    """The local administrator, as whom the command line acts."""
    fields: tuple[FieldSpec, ...]
    """The metadata schema."""
    server: EmbeddedServer | None
    """The embedded server, where it is used."""

    def revive(self) -> bool:
        """Start the embedded server again where it was lost; returns whether its address changed by that.

        Every process that was given the old address must then be started again.

        Raises:
            ServerStartError: it does not start.
        """
        if self.server is None or self.server.is_running():
            return False
        url = self.server.acquire()
        if url == self.house.database.url:
            return False
        self.house.database.move(url)
        return True

    def close(self) -> None:
        """Close connections and let go of the embedded server; the last process stops it."""
        self.house.bridge.close()
        self.house.database.dispose()
        if self.server is not None:
            self.server.release()


def open_house(settings: Settings | None = None, *, now: type_now = system_now) -> Opened:
    """Start (or join) the database, bring its schema up to date, write the defaults, and return the house.

    Raises:
        NoEmbeddedBuildError: no embedded server exists for this platform and `X121_DATABASE_URL` is not set.
        DatabaseError: the database is too old, lacks pgvector, or was made by a later X121.
    """
    settings = settings or Settings()
    ensure_private_dir(settings.home)
    server = None
    if settings.database_url is None:
        server = EmbeddedServer(settings)
        url = server.acquire()
    else:
        url = settings.database_url.get_secret_value()
    database = Database(url)
    try:
        house = House(settings, database, ArtifactStore(settings.artifacts_dir), now)
        fields = load_fields(resource_path("data", "schemas", "character_metadata.json").read_text(encoding="utf-8"))
        administrator = prepare(house, fields)
    except BaseException:
        database.dispose()
        if server is not None:
            server.release()
        raise
    return Opened(house, administrator, fields, server)


def prepare(house: House, fields: tuple[FieldSpec, ...]) -> Actor:
    """Check the database, upgrade its schema where it is new or older, write the default rows; all idempotent."""
    house.database.check()
    if not migrations.status(house.database).up_to_date:
        migrations.upgrade(house.database, backup_dir=house.settings.home / "backups")
    with house.database.transaction() as session:
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_PREPARE_LOCK)))
        administrator = people.actor_for(session, people.ensure_local_administrator(session))
        ensure_defaults(session)
        for reader in (notifications.CONSUMER, triggers.CONSUMER):
            outbox.join(session, reader)
        ensure_fields(session, fields)
        qa.register_metrics(session)
        qa.load_profiles(session, SYSTEM, resource_path("data", "qa_profiles"))
    return administrator
