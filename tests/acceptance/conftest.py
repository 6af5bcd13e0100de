"""Studios of real processes, and what an undisturbed one delivers."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from x121lib.base.settings import Settings
from x121lib.store.embedded import EmbeddedServer, remove
from x121lib.testing.real_studio import RealStudio, zip_structure


@contextlib.contextmanager
def _studio(engines: int = 2) -> Iterator[RealStudio]:
    folder = Path(tempfile.mkdtemp(prefix="x121-acceptance-"))
    folder.chmod(0o755)  # the database's own user can reach it; pytest's folders are of mode 0700
    studio = RealStudio(folder / "home", engines=engines)
    try:
        yield studio
    finally:
        studio.kill_everything()
        EmbeddedServer(studio.settings).stop()
        remove(studio.settings)
        demo = Settings(home=studio.home / "demo")
        EmbeddedServer(demo).stop()
        remove(demo)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def studio() -> Iterator[RealStudio]:
    """Return a studio that every test of the module may break; each makes a project of its own."""
    with _studio() as made:
        yield made


@pytest.fixture(scope="module")
def studio_without_engines() -> Iterator[RealStudio]:
    """Return a studio that brings no GPU worker of its own."""
    with _studio(engines=0) as made:
        yield made


@pytest.fixture
def new_studio() -> Iterator[RealStudio]:
    """Return a studio whose home does not exist yet."""
    with _studio() as made:
        yield made


@pytest.fixture(scope="module")
def calm(studio: RealStudio) -> list[str]:
    """Return what an undisturbed run delivers, ``{project}`` in the place of the project's name."""
    with studio.opened():
        studio.prepare("Calm")
        studio.submit("Calm")
    with studio.up():
        studio.wait_made()
    return [
        name.replace("Calm", "{project}").replace("calm", "{project}") for name in zip_structure(studio.deliver("Calm"))
    ]
