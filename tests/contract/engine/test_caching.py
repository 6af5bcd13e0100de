"""Results that are kept."""

from __future__ import annotations

import io
import json
import time
import uuid
from typing import Any

from PIL import Image

from tests.contract.engine.conftest import with_changes


def saved(color: int, prefix: str, save_id: str = "3") -> dict[str, Any]:
    """Return a graph of three nodes."""
    empty = {"width": 24, "height": 16, "batch_size": 1, "color": color}
    return {
        "1": {"class_type": "EmptyImage", "inputs": empty},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        save_id: {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": prefix}},
    }


def ran(messages: list[Any]) -> list[str]:
    """Return the nodes that were executed."""
    nodes = [message["data"]["node"] for message in messages if message["type"] == "executing"]
    return nodes[:-1]


def cached(messages: list[Any]) -> set[str]:
    """Return the nodes that were told as cached."""
    (found,) = [message["data"]["nodes"] for message in messages if message["type"] == "execution_cached"]
    return set(found)


def test_a_repeated_prompt_returns_the_old_file(comfy: Any) -> None:
    graph = saved(uuid.uuid4().int % 0xFFFFFF, "cache/" + uuid.uuid4().hex)
    first, _ = comfy.play(graph)
    second, messages = comfy.play(graph)
    assert second["outputs"] == first["outputs"]
    assert second["status"]["status_str"] == "success"
    assert ran(messages) == []
    assert "3" in cached(messages)
    (executed,) = [message["data"] for message in messages if message["type"] == "executed"]
    assert executed["output"] == first["outputs"]["3"]


def test_a_changed_prefix_makes_a_new_file_of_cached_images(comfy: Any) -> None:
    color = uuid.uuid4().int % 0xFFFFFF
    comfy.play(saved(color, "cache/" + uuid.uuid4().hex))
    _, messages = comfy.play(saved(color, "cache/" + uuid.uuid4().hex))
    assert ran(messages) == ["3"]
    assert cached(messages) == {"1", "2"}


def test_a_changed_input_runs_everything_below_it(comfy: Any) -> None:
    prefix = "cache/" + uuid.uuid4().hex
    comfy.play(saved(1, prefix))
    _, messages = comfy.play(saved(uuid.uuid4().int % 0xFFFFFF, prefix))
    assert ran(messages) == ["1", "2", "3"]


def test_a_changed_file_is_loaded_again(comfy: Any, picture: Any) -> None:
    name = comfy.upload(picture)
    graph = {"1": {"class_type": "LoadImage", "inputs": {"image": name}}}
    before = comfy.pixels(graph, "1")
    body = comfy.http.get("/view", params={"filename": comfy.upload(255 - picture), "type": "input"}).content
    files = {"image": (name, body)}
    assert comfy.http.post("/upload/image", files=files, data={"overwrite": "true"}).json()["name"] == name
    after = comfy.pixels(graph, "1")
    assert (before[0] == picture).all()
    assert (after[0] == 255 - picture).all()


def prompt_in(comfy: Any, shown: dict[str, Any]) -> dict[str, Any]:
    """Return the graph that a saved picture carries."""
    return json.loads(Image.open(io.BytesIO(comfy.file(shown))).info["prompt"])


def test_a_saved_file_tells_what_its_sources_were_and_history_what_was_sent(comfy: Any, picture: Any) -> None:
    graph = saved(1, "cache/" + uuid.uuid4().hex)
    graph["apart"] = {"class_type": "LoadImage", "inputs": {"image": comfy.upload(picture)}}
    entry, _ = comfy.play(graph)
    assert entry["prompt"][2] == graph
    assert prompt_in(comfy, entry["outputs"]["3"]["images"][0]) == with_changes(comfy, graph)


def test_what_the_sender_says_of_a_file_is_believed(comfy: Any, picture: Any) -> None:
    graph = saved(1, "cache/" + uuid.uuid4().hex)
    graph["2"] = {"class_type": "LoadImage", "inputs": {"image": comfy.upload(picture)}, "is_changed": ["mine"]}
    entry, _ = comfy.play(graph)
    assert prompt_in(comfy, entry["outputs"]["3"]["images"][0]) == graph


def test_a_video_s_time_of_change_decides(comfy: Any) -> None:
    empty = {"width": 32, "height": 16, "batch_size": 2, "color": uuid.uuid4().int % 0xFFFFFF}
    save = {"video": ["2", 0], "filename_prefix": "cache/" + uuid.uuid4().hex, "format": "auto", "codec": "auto"}
    made = comfy.result({
        "1": {"class_type": "EmptyImage", "inputs": empty},
        "2": {"class_type": "CreateVideo", "inputs": {"images": ["1", 0], "fps": 24}},
        "3": {"class_type": "SaveVideo", "inputs": save},
    })["3"]["images"][0]  # fmt: skip
    answer = comfy.http.post("/upload/image", files={"image": (made["filename"], comfy.file(made))})
    graph = saved(1, "cache/" + uuid.uuid4().hex)
    graph["1"] = {"class_type": "LoadVideo", "inputs": {"file": answer.json()["name"]}}
    graph["2"] = {"class_type": "GetVideoComponents", "inputs": {"video": ["1", 0]}}
    (changed,) = prompt_in(comfy, comfy.result(graph)["3"]["images"][0])["1"]["is_changed"]
    assert isinstance(changed, float)
    assert abs(changed - time.time()) < 3600


def test_freeing_memory_drops_what_was_kept(comfy: Any) -> None:
    graph = saved(uuid.uuid4().int % 0xFFFFFF, "cache/" + uuid.uuid4().hex)
    comfy.play(graph)
    comfy.http.post("/free", json={"free_memory": True, "unload_models": True})
    comfy.play(saved(5, "cache/" + uuid.uuid4().hex))
    _, messages = comfy.play(graph)
    assert ran(messages) == ["1", "2", "3"]
