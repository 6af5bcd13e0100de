"""ComfyUI's own frontend is the oracle: what it sends for a workflow of its editor is what we make of the file."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from x121lib.comfyui.errors import NotConvertibleError
from x121lib.comfyui.graph import parse_graph
from x121lib.testing.editor_files import SHELF

_REAL_URL = os.environ.get("X121_TEST_COMFYUI_URL", "")
_CHROMIUM = "/usr/bin/chromium"
_ASK = """async (file) => { await window.app.loadGraphData(file); return (await window.app.graphToPrompt()).output }"""

pytestmark = pytest.mark.skipif(not _REAL_URL, reason="X121_TEST_COMFYUI_URL names no ComfyUI")


@pytest.fixture(scope="module", params=["real"])
def frontend(request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open the real frontend in a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(_REAL_URL)
        page.wait_for_function("window.app && window.app.graph && window.app.extensionManager", timeout=60_000)
        page.wait_for_function("window.LiteGraph.registered_node_types.KSampler !== undefined", timeout=60_000)
        yield page
        browser.close()


@pytest.fixture(scope="module")
def object_info() -> dict[str, Any]:
    """Return what the real server says of its node classes."""
    return dict(_fetched("/object_info"))


def _fetched(path: str) -> Any:
    with urllib.request.urlopen(f"{_REAL_URL}{path}", timeout=30) as answer:
        return json.load(answer)


def _known(graph: dict[str, Any], object_info: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the frontend adds for itself: inputs that no class has, titles where the server gives none."""

    def inputs(node: dict[str, Any]) -> dict[str, Any]:
        groups = object_info[node["class_type"]]["input"]
        known = {**groups.get("required", {}), **groups.get("optional", {})}
        return {name: value for name, value in node["inputs"].items() if name in known}

    titled = {key for key, node in graph.items() if object_info[node["class_type"]].get("display_name")}
    return {
        key: {
            "class_type": node["class_type"],
            "inputs": inputs(node),
            "title": key in titled and node["_meta"]["title"],
        }
        for key, node in graph.items()
    }


@pytest.mark.parametrize("name", list(SHELF))
def test_the_conversion_is_the_frontends(frontend: Page, object_info: dict[str, Any], name: str) -> None:
    file = SHELF[name]()
    theirs = frontend.evaluate(_ASK, file)
    assert theirs
    assert _known(parse_graph(file, object_info=object_info), object_info) == _known(theirs, object_info)


def test_comfyuis_own_templates_are_converted_alike(frontend: Page, object_info: dict[str, Any]) -> None:
    """Every fourth workflow that the server itself offers; those that it could not run itself are left out."""
    compared = 0
    for name in _templates()[::4]:
        file = _fetched(f"/templates/{name}.json")
        try:
            ours = parse_graph(file, name=name, object_info=object_info)
        except NotConvertibleError:
            continue
        assert _known(ours, object_info) == _known(frontend.evaluate(_ASK, file), object_info), name
        compared += 1
    assert compared > 10


def _templates() -> list[str]:
    groups = _fetched("/templates/index.json")
    return sorted(template["name"] for group in groups for template in group["templates"])
