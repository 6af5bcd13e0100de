"""Shared fixtures: one embedded PostgreSQL per run, a database per test cloned from a template, a studio to clone."""

from __future__ import annotations

import gc
import socket
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql

from x121lib.base.settings import Settings
from x121lib.comfyui.engine import start_engine
from x121lib.store import migrations
from x121lib.store.embedded import EmbeddedServer, remove
from x121lib.store.session import Database
from x121lib.terms.roles import ROLE_PERMISSIONS, Actor
from x121lib.terms.vocabulary import RoleName
from x121lib.testing.small_studio import Kept, clone_database, drop_database, make_careless, open_studio, stock

hypothesis.settings.register_profile("shared", deadline=None)  # how long an example takes here says nothing
hypothesis.settings.load_profile("shared")
_real_connect = socket.socket.connect


def pytest_collection_finish() -> None:
    """What was loaded and collected stays until the end: the garbage collector need not look through it again."""
    gc.collect()
    gc.freeze()


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
    make_careless(url)
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
    yield from _temporary_database(server_url, "template1")


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """Return the URL of a migrated database of this test's own."""
    yield from _temporary_database(server_url, template)


def _temporary_database(server_url: str, template: str) -> Iterator[str]:
    url = clone_database(server_url, template)
    yield url
    drop_database(url)


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


@pytest.fixture(scope="session")
def engine_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run one local engine for all tests."""
    engine = start_engine(tmp_path_factory.mktemp("engine"))
    yield engine.url
    engine.stop()


@pytest.fixture(scope="session")
def stocked_studio(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Make once the studio that others are clones of: the project Aurora, two characters, the scene type *sway*."""
    home = tmp_path_factory.mktemp("stocked")
    settings = Settings(home=home, database_url=clone_database(server_url, template))
    with open_studio(settings) as studio:
        stock(studio, home / "recipes")
    return Kept.of(settings)


@pytest.fixture
def admin() -> Actor:
    """Return an Admin without a person row behind it."""
    return Actor(person_id=None, name="Test admin", permissions=ROLE_PERMISSIONS[RoleName.ADMIN])


@pytest.fixture
def reviewer() -> Actor:
    """Return a Reviewer without a person row behind it."""
    return Actor(person_id=None, name="Test reviewer", permissions=ROLE_PERMISSIONS[RoleName.REVIEWER])
