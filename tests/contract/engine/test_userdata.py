"""What people save on a server: listed and read by its path."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from x121lib.comfyui.errors import GraphError
from x121lib.comfyui.library import list_saved, read_saved


def place(path: str) -> str:
    """Return the route of a user's file."""
    return "/userdata/" + quote(path, safe="")


@pytest.fixture
def saved(comfy: Any) -> Iterator[str]:
    """A folder of two workflows, one of them deeper; returns its name."""
    folder = f"x121 täst {uuid.uuid4().hex[:8]}"
    files = [f"workflows/{folder}/one.json", f"workflows/{folder}/deep/two.json", f"workflows/{folder}/note.txt"]
    for path in files:
        answer = comfy.http.post(place(path), content=b'{"1": {}}')
        assert (answer.status_code, answer.json()) == (200, path)
    yield folder
    for path in files:
        assert comfy.http.delete(place(path)).status_code == 204


def test_files_are_listed_with_their_facts(comfy: Any, saved: str) -> None:
    query = {"dir": f"workflows/{saved}", "recurse": "true", "split": "false", "full_info": "true"}
    found = {item["path"]: item for item in comfy.http.get("/userdata", params=query).json()}
    assert set(found) == {"one.json", "deep/two.json", "note.txt"}
    assert found["one.json"]["size"] == 9
    assert found["one.json"]["modified"] > 0
    flat = comfy.http.get("/userdata", params={"dir": f"workflows/{saved}"}).json()
    assert sorted(flat) == ["note.txt", "one.json"]
    split = comfy.http.get("/userdata", params={**query, "full_info": "false", "split": "true"}).json()
    assert ["deep/two.json", "deep", "two.json"] in split


def test_a_file_is_read_and_an_absent_or_foreign_one_is_not(comfy: Any, saved: str) -> None:
    assert comfy.http.get(place(f"workflows/{saved}/deep/two.json")).content == b'{"1": {}}'
    assert comfy.http.get(place(f"workflows/{saved}/three.json")).status_code == 404
    assert comfy.http.get(place("../../secret.json")).status_code == 403
    assert comfy.http.get("/userdata").status_code == 400
    assert comfy.http.get("/userdata", params={"dir": "../.."}).status_code == 403
    assert comfy.http.get("/userdata", params={"dir": f"none {saved}"}).status_code == 404
    path = place(f"workflows/{saved}/one.json")
    assert comfy.http.post(path, params={"overwrite": "false"}, content=b"x").status_code == 409


def test_saved_workflows_are_found_and_read(comfy: Any, saved: str) -> None:
    found = [item for item in asyncio.run(list_saved(comfy.url)) if item.path.startswith(saved)]
    assert [(item.path, item.n_bytes) for item in found] == [(f"{saved}/deep/two.json", 9), (f"{saved}/one.json", 9)]
    assert asyncio.run(read_saved(comfy.url, f"{saved}/one.json")) == b'{"1": {}}'
    for path in (f"{saved}/three.json", "../one.json", "/etc/x.json", "a\\b.json", "x.txt", ".hidden.json"):
        with pytest.raises(GraphError):
            asyncio.run(read_saved(comfy.url, path))
