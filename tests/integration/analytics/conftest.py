"""The studio at work that the tests of analytics read."""

from __future__ import annotations

import pytest

from x121lib.store.session import Database
from x121lib.testing.production import Studio, make_studio


@pytest.fixture
def studio(database: Database) -> Studio:
    """Store the two projects: Spring with two scenes and a retake, Autumn with one scene."""
    return make_studio(database)
