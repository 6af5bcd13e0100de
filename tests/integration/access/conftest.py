"""The small studio that the tests of access ask about."""

from __future__ import annotations

import pytest

from x121lib.store.session import Database
from x121lib.terms.roles import Actor
from x121lib.testing.rights import Cast, make_cast


@pytest.fixture
def cast(database: Database, admin: Actor) -> Cast:
    """Store Ada, a real performer whose age is verified, and Lena, a drawn one, each with a character."""
    return make_cast(database, admin)
