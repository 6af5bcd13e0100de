"""Homes of their own for tests that start, break and remove a database server."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from x121lib.base.settings import Settings
from x121lib.store.embedded import EmbeddedServer, remove


@contextlib.contextmanager
def _home() -> Iterator[Settings]:
    home = Path(tempfile.mkdtemp(prefix="x121-"))
    home.chmod(0o755)  # every user can reach it; pytest's own folders are of mode 0700
    settings = Settings(home=home)
    yield settings
    EmbeddedServer(settings).stop()
    remove(settings)
    shutil.rmtree(home)


@pytest.fixture
def own_settings() -> Iterator[Settings]:
    """Settings of a new home that every user can reach."""
    with _home() as settings:
        yield settings


@pytest.fixture(scope="module")
def shared_settings() -> Iterator[Settings]:
    """Settings of a home for tests that need a database server to start and stop, not a new one."""
    with _home() as settings:
        yield settings
