"""One clean take, shared by the tests of analysis."""

from __future__ import annotations

from pathlib import Path

import pytest

from x121lib.qa.analysis import Analysis, analyse
from x121lib.testing.takes import moved, reference, write


@pytest.fixture(scope="session")
def clean_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clean take of Mara: 37 frames of 320 × 384 at 24 frames/s."""
    return write(tmp_path_factory.mktemp("clean") / "clean.mp4", moved("Mara"))


@pytest.fixture(scope="session")
def clean(clean_path: Path) -> Analysis:
    """Return the clean take's analysis."""
    return analyse(clean_path, reference(moved("Mara")[0]))
