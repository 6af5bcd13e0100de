"""A database whose schema went through every migration."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from x121lib.store.session import Database


@pytest.fixture
def empty_database(empty_url: str) -> Iterator[Database]:
    """Return an empty database of this test's own."""
    database = Database(empty_url)
    yield database
    database.dispose()
