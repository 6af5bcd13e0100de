"""Studios of a test's own: one stocked with characters, one with an engine, one whose scenes wait for review."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from x121lib.base.settings import Settings
from x121lib.studio import Studio
from x121lib.testing.small_studio import DATA, Clock, Kept, drive, drop_database, open_studio


@pytest.fixture(scope="session")
def reviewed_studio(
    server_url: str, stocked_studio: Kept, engine_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Kept:
    """Make a studio once in which three scenes wait for review: *sway* of both characters and Aiko's real *idle*."""
    settings = stocked_studio.clone(server_url, tmp_path_factory.mktemp("reviewed") / "home")
    with open_studio(settings) as studio:
        studio.workers.add(engine_url, name="engine 1", engine=True)
        studio.work.check_workers()
        studio.load_scene_type(DATA / "scene_types" / "idle.toml")
        studio.project("Aurora").submit(scene_types=["sway"])
        studio.project("Aurora").submit(characters=["Aiko"], scene_types=["idle"], variants=["clothed"])
        drive(studio)
    return Kept.of(settings)


@pytest.fixture
def clock() -> Clock:
    """Return the clock of this test's studio."""
    return Clock()


def _opened(settings: Settings, clock: Clock) -> Iterator[Studio]:
    with open_studio(settings, clock) as studio:
        yield studio
    assert settings.database_url is not None
    drop_database(settings.database_url.get_secret_value())


@pytest.fixture
def stocked(server_url: str, stocked_studio: Kept, tmp_path: Path, clock: Clock) -> Iterator[Studio]:
    """Return a studio of this test's own with the project Aurora, two characters and the scene type *sway*."""
    yield from _opened(stocked_studio.clone(server_url, tmp_path / "home"), clock)


@pytest.fixture
def equipped(stocked: Studio, engine_url: str) -> Studio:
    """Return the stocked studio with a real engine that is online."""
    stocked.workers.add(engine_url, name="engine 1", engine=True)
    stocked.work.check_workers()
    return stocked


@pytest.fixture
def reviewed(server_url: str, reviewed_studio: Kept, tmp_path: Path, clock: Clock) -> Iterator[Studio]:
    """Return a studio of this test's own whose three scenes wait for review."""
    yield from _opened(reviewed_studio.clone(server_url, tmp_path / "home"), clock)
