"""Shared fixtures: one embedded PostgreSQL per run, a database cloned from a migrated template per test."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql

from x121lib.base.settings import Settings
from x121lib.store import migrations
from x121lib.store.embedded import EmbeddedServer, remove
from x121lib.store.session import Database
from x121lib.terms.roles import ROLE_PERMISSIONS, Actor
from x121lib.terms.vocabulary import RoleName

hypothesis.settings.register_profile("shared", deadline=None)  # how long an example takes here says nothing
hypothesis.settings.load_profile("shared")
_real_connect = socket.socket.connect


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves this machine."""

    def connect(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            host = str(address[0])
            if not (host.startswith("127.") or host in {"::1", "localhost"}):
                raise AssertionError(f"a test tried to reach {address}")
        _real_connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the embedded server once, and return the URL of its empty first database."""
    settings = Settings(home=tmp_path_factory.mktemp("x121-home"))
    server = EmbeddedServer(settings)
    url = server.acquire()
    with psycopg.connect(url, autocommit=True) as connection:  # a crash of this run needs no durability
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
    yield url
    server.release()
    remove(settings)


@pytest.fixture(scope="session")
def template(server_url: str) -> str:
    """Migrate one database to the newest schema, for every test to clone; return its name."""
    name = "template_x121"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    database = Database(_with_database(server_url, name))
    migrations.upgrade(database)
    database.dispose()
    return name


def _with_database(url: str, name: str) -> str:
    return url.rsplit("/", 1)[0] + "/" + name


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    """Return the URL of an empty database of this test's own."""
    yield from _temporary_database(server_url, None)


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """Return the URL of a migrated database of this test's own."""
    yield from _temporary_database(server_url, template)


def _temporary_database(server_url: str, template: str | None) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        create += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(create)
    yield _with_database(server_url, name)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Return a migrated database of this test's own."""
    database = Database(database_url)
    yield database
    database.dispose()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Return settings with a home of this test's own and its database."""
    return Settings(home=tmp_path / "home", database_url=database_url)


@pytest.fixture
def admin() -> Actor:
    """Return an Admin without a person row behind it."""
    return Actor(person_id=None, name="Test admin", permissions=ROLE_PERMISSIONS[RoleName.ADMIN])


@pytest.fixture
def reviewer() -> Actor:
    """Return a Reviewer without a person row behind it."""
    return Actor(person_id=None, name="Test reviewer", permissions=ROLE_PERMISSIONS[RoleName.REVIEWER])
