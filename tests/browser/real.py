"""A real studio with real cuts, and its web door as a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from os import environ
from pathlib import Path
from typing import Any, TypeVar

import httpx

from x121lib import Studio
from x121lib.base.settings import Settings
from x121lib.studio.people import ReleaseInput
from x121lib.testing.real_studio import wait_until
from x121lib.testing.small_studio import PORTRAITS, Kept, drive, drop_database, open_studio

T = TypeVar("T")


@dataclass(frozen=True)
class RealDoor:
    """The studio, the address of its web door, and who signs in."""

    studio: Studio
    """The same database and files, opened in this process."""
    address: str
    """``http://127.0.0.1:…``."""
    person: uuid.UUID
    """Key of the person Noor."""

    def link(self) -> str:
        """Return a fresh one-time sign-in link."""
        return f"{self.address}/sign-in/once/{self.studio.people.make_sign_in_link(self.person)}"

    def scene_status(self, character: str, scene_type: str, project: str = "Aurora") -> str:
        """Return a scene's status as the database has it."""
        rows = self.studio.project(project).scenes()
        chosen = rows[(rows["character"] == character) & (rows["scene_type"] == scene_type)]
        return str(chosen["status"].iloc[0])


def beside(work: Callable[..., T], *arguments: Any) -> T:
    """Do work that runs an event loop of its own in a thread of its own: Playwright holds this thread's."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(work, *arguments).result()


def furnish(studio: Studio, engine_url: str) -> None:
    """Make real cuts: *sway* of Aiko and Lena waits for review in Aurora; Breeze has one scene, and it is approved.

    Jonas in Aurora was never submitted. The studio is stocked; its worker *engine 1* goes on running.
    """
    studio.workers.add(engine_url, name="engine 1", engine=True)
    studio.work.check_workers()
    studio.project("Aurora").submit()
    studio.project("Aurora").import_folder(PORTRAITS, synthetic=True, only=("Jonas",))
    breeze = studio.create_project("Breeze")
    breeze.import_folder(PORTRAITS, synthetic=True, only=("Jonas",))
    breeze.submit()
    drive(studio)
    approved, left = breeze.approve_passing()
    assert (len(approved), left) == (1, [])


@contextmanager
def opened_door(kept: Kept, server_url: str, folder: Path, *, role: str) -> Iterator[RealDoor]:
    """Open a copy of a studio behind a web door of its own; Noor has the role."""
    settings = kept.clone(server_url, folder / "home")
    assert settings.database_url is not None
    with open_studio(settings) as studio:
        person = studio.people.add("Noor Haddad", "noor@example.test", [role])
        with web_door(settings, folder / "web.txt") as address:
            yield RealDoor(studio, address, person)
    drop_database(settings.database_url.get_secret_value())


def add_mara(studio: Studio, folder: Path) -> tuple[str, uuid.UUID]:
    """Import Mara into Aurora as a real performer; returns her portrait's hash and her release's key."""
    document = folder / "release.pdf"
    document.write_bytes(b"%PDF-1.4 signed")
    now = studio.house.now()
    release = studio.people.add_release(
        ReleaseInput("M. Example", document, now - timedelta(days=2), adult_verified_at=now - timedelta(days=3))
    )
    aurora = studio.project("Aurora")
    refused = aurora.import_folder(PORTRAITS, performer="M. Example", only=("Mara",)).refused
    assert not refused, refused
    rows = aurora.variants()
    return str(rows[rows["character"] == "Mara"]["sha256"].iloc[0]), release


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_door(address: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a process serves ``/healthz``."""
    with httpx.Client(base_url=address, timeout=2, trust_env=False) as client:  # one client: making one takes 30 ms
        wait_until(lambda: _answers(client) or process.poll() is not None, f"{address} answers")
    assert process.poll() is None, f"{address}: the process ended with {process.returncode}"


@contextmanager
def web_door(settings: Settings, log: Path) -> Iterator[str]:
    """Run ``python -m dashboards`` on a studio and yield its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    environment = {**environ, "X121_HOME": str(settings.home), "X121_PORT": str(port), "X121_DATABASE_URL": url}
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "dashboards"], env=environment, stdout=file, stderr=file)
    try:
        wait_for_door(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False
