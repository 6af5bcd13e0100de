"""The embedded server: who runs it, where it lies, how it starts and stops."""

from __future__ import annotations

import logging
import os
import socket
import stat
import time
from pathlib import Path

import psycopg
import pytest

from x121lib.base.errors import RefusedError
from x121lib.base.settings import Settings
from x121lib.store import server_files
from x121lib.store.embedded import EmbeddedServer, find_orphans, remove
from x121lib.store.errors import DatabaseFolderError, NoEmbeddedBuildError
from x121lib.store.server_files import Install
from x121lib.store.server_user import choose_server_user

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the server another user")


def _folder_of(settings: Settings) -> Path:
    data_dir = EmbeddedServer(settings).status().data_dir
    assert data_dir is not None
    return data_dir.parent


def test_first_start_makes_a_private_database_with_vectors(own_settings: Settings) -> None:
    server = EmbeddedServer(own_settings)
    began = time.monotonic()
    url = server.acquire()
    first_s = time.monotonic() - began
    with psycopg.connect(url) as connection:
        facts = connection.execute(
            "SELECT current_database(), current_setting('fsync'), current_setting('listen_addresses'), "
            "(SELECT count(*) FROM pg_extension WHERE extname = 'vector'), current_setting('server_encoding')"
        ).fetchone()
    assert facts == ("x121", "on", "127.0.0.1", 1, "UTF8")
    status = server.status()
    assert status.running
    assert status.pid is not None
    assert os.stat(f"/proc/{status.pid}").st_uid != 0
    assert status.users == (os.getpid(),)
    assert status.data_dir is not None
    for folder in (status.data_dir, status.data_dir.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    server.release()
    assert not server.is_running()
    began = time.monotonic()
    server.acquire()
    later_s = time.monotonic() - began
    server.release()
    logging.getLogger(__name__).info("first start %.2f s, later %.2f s", first_s, later_s)
    assert first_s < 20
    assert later_s < 5


def test_a_wrong_password_is_refused_on_tcp_and_socket(shared_settings: Settings) -> None:
    server = EmbeddedServer(shared_settings)
    server.acquire()
    port = server.status().port
    for host in ("127.0.0.1", str(_folder_of(shared_settings) / "socket")):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(host=host, port=port, user="x121", password="wrong", dbname="x121")
    server.release()


def test_the_server_is_not_of_our_session_and_leaves_no_process(shared_settings: Settings) -> None:
    server = EmbeddedServer(shared_settings)
    server.acquire()
    pid = server.status().pid
    assert pid is not None
    assert os.getsid(pid) == pid  # a Ctrl-C on our terminal goes to our session only
    server.release()
    assert not Path(f"/proc/{pid}").exists()  # not even a zombie


def test_acquiring_twice_needs_one_release(shared_settings: Settings) -> None:
    server = EmbeddedServer(shared_settings)
    assert server.acquire() == server.acquire()
    server.release()
    assert not server.is_running()
    server.release()


def test_a_taken_port_is_avoided(shared_settings: Settings) -> None:
    server = EmbeddedServer(shared_settings)
    server.acquire()
    old = server.status().port
    server.release()
    with socket.create_server(("127.0.0.1", old or 0)):
        with psycopg.connect(server.acquire()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert server.status().port != old
    server.release()


def test_an_interrupted_first_start_begins_anew(shared_settings: Settings) -> None:
    server = EmbeddedServer(shared_settings)
    server.acquire()
    server.release()
    data = _folder_of(shared_settings) / "data"
    (data / "x121.complete").unlink()
    (data / "PG_VERSION").unlink()
    with psycopg.connect(server.acquire()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    server.release()


def test_a_server_whose_starter_was_killed_early_is_replaced(shared_settings: Settings) -> None:
    server = EmbeddedServer(shared_settings)
    server.acquire()
    status = server.status()
    assert status.data_dir is not None
    (status.data_dir / "postmaster.pid").rename(status.data_dir / "hidden")  # as if it was not written yet
    with psycopg.connect(server.acquire()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert server.status().pid != status.pid
    server.release()


def test_remove_deletes_the_database_and_refuses_while_it_is_used(shared_settings: Settings) -> None:
    server = EmbeddedServer(shared_settings)
    server.acquire()
    folder = _folder_of(shared_settings)
    with pytest.raises(RefusedError, match="X121 is running"):
        remove(shared_settings)
    assert server.is_running()
    server.release()
    remove(shared_settings)
    assert not folder.exists()


@as_root
def test_a_hidden_home_puts_the_database_elsewhere_and_loosens_nothing(own_settings: Settings) -> None:
    own_settings.home.chmod(0o700)
    hidden = Settings(home=own_settings.home / "below")
    server = EmbeddedServer(hidden)
    server.acquire()
    folder = _folder_of(hidden)
    assert folder.parent == Path("/var/lib/x121")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(own_settings.home.stat().st_mode) == 0o700
    server.release()
    assert folder not in find_orphans(own_settings)

    moved = Settings(home=own_settings.home / "moved")
    hidden.home.rename(moved.home)
    assert folder in find_orphans(own_settings)
    server = EmbeddedServer(moved)  # a home that was moved takes its database along
    server.acquire()
    server.release()
    assert folder not in find_orphans(own_settings)
    remove(moved)
    assert not folder.exists()


@as_root
def test_a_copied_home_does_not_share_the_database(own_settings: Settings) -> None:
    own_settings.home.chmod(0o700)
    server_files.make_location(own_settings.home)
    copy = own_settings.home / "copy"
    copy.mkdir()
    (copy / "database.location").write_bytes((own_settings.home / "database.location").read_bytes())
    with pytest.raises(DatabaseFolderError, match="is a copy of that home"):
        EmbeddedServer(Settings(home=copy)).acquire()


@as_root
def test_hidden_binaries_are_copied_once(own_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_files, "SYSTEM_DIR", own_settings.home / "system")
    found = server_files.find_install()
    closed = own_settings.home / "closed"
    closed.mkdir(mode=0o700)
    (closed / "package").symlink_to(found.root.parent)
    (closed / f"{server_files._PACKAGE}.libs").symlink_to(found.root.parent.with_name(f"{server_files._PACKAGE}.libs"))
    user = choose_server_user()
    copy = server_files.reachable_install(Install(closed / "package" / found.root.name, found.major), user)
    assert copy.root.is_relative_to(own_settings.home / "system")
    shown = user.run([copy.tool("psql"), "--version"])  # needs the libraries beside it
    assert shown.stdout.startswith(f"psql (PostgreSQL) {found.major}")
    made_at = copy.root.stat().st_ctime_ns
    again = server_files.reachable_install(Install(closed / "package" / found.root.name, found.major), user)
    assert again.root.stat().st_ctime_ns == made_at
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_a_missing_build_names_the_way_out() -> None:
    with pytest.raises(NoEmbeddedBuildError, match="X121_DATABASE_URL"):
        server_files.find_install(9)
