"""A server for the client: the local engine always, and a real ComfyUI where X121_TEST_COMFYUI_URL names one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from x121lib.comfyui.engine import start_engine

_REAL_URL = os.environ.get("X121_TEST_COMFYUI_URL", "")
SERVERS = ["engine", *(["real"] if _REAL_URL else [])]


@pytest.fixture(scope="session", params=SERVERS)
def comfyui_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a server in its usual state."""
    if request.param == "real":
        yield _REAL_URL
        return
    engine = start_engine(tmp_path_factory.mktemp("engine"))
    yield engine.url
    engine.stop()
