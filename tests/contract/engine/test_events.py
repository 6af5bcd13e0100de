"""The WebSocket: what is said, to whom, and in what order."""

from __future__ import annotations

import io
import json
import struct
import uuid
from typing import Any

import numpy as np
import pytest
from PIL import Image


def kinds(messages: list[Any]) -> list[str]:
    """Name the messages, statuses left out."""
    names = [message["type"] if isinstance(message, dict) else "binary" for message in messages]
    return [name for name in names if name != "status"]


def test_a_connection_begins_with_a_status_and_its_id(comfy: Any) -> None:
    with comfy.listen("someone") as socket:
        first = json.loads(socket.recv(timeout=10))
    assert first["type"] == "status"
    assert first["data"]["sid"] == "someone"
    assert first["data"]["status"]["exec_info"]["queue_remaining"] >= 0


def test_the_order_of_a_run(comfy: Any, quick: dict[str, Any]) -> None:
    entry, messages = comfy.play(quick)
    assert kinds(messages) == [
        "execution_start", "execution_cached",
        "progress_state", "executing", "progress_state",
        "progress_state", "executing", "executed", "progress_state",
        "execution_success", "executing",
    ]  # fmt: skip
    remaining = [m["data"]["status"]["exec_info"]["queue_remaining"] for m in messages if m["type"] == "status"]
    assert remaining[-1] == 0
    assert [name for name, _ in entry["status"]["messages"]] == [
        "execution_start", "execution_cached", "execution_success",
    ]  # fmt: skip
    assert entry["status"]["messages"][0][1]["timestamp"] <= entry["status"]["messages"][-1][1]["timestamp"]


def test_what_the_messages_say(comfy: Any, quick: dict[str, Any]) -> None:
    prompt_id = str(uuid.uuid4())
    entry, messages = comfy.play(quick, prompt_id=prompt_id)
    told = [message for message in messages if message["type"] != "status"]
    assert {message["data"]["prompt_id"] for message in told} == {prompt_id}
    running = [m["data"]["node"] for m in told if m["type"] == "executing"]
    assert running == ["1", "2", None]
    (executed,) = [m["data"] for m in told if m["type"] == "executed"]
    assert (executed["node"], executed["display_node"], executed["output"]) == ("2", "2", entry["outputs"]["2"])
    states = [m["data"]["nodes"] for m in told if m["type"] == "progress_state"]
    assert [{node: s["state"] for node, s in state.items()} for state in states] == [
        {"1": "running"}, {"1": "finished"}, {"1": "finished", "2": "running"}, {"1": "finished", "2": "finished"},
    ]  # fmt: skip
    assert states[-1]["2"]["display_node_id"] == states[-1]["2"]["real_node_id"] == "2"
    assert entry["meta"]["2"]["real_node_id"] == "2"


def test_history_is_written_before_the_end_is_told(comfy: Any, quick: dict[str, Any]) -> None:
    for color in range(10):
        quick["1"]["inputs"]["color"] = color
        entry, _ = comfy.play(quick)  # reads history at once after the end; a KeyError if it were late
        assert entry["status"]["completed"] is True


def test_a_failing_node_is_told_and_kept(comfy: Any) -> None:
    bad = {"class_type": "EmptyImage", "inputs": {"width": 32, "height": 32, "batch_size": 2, "color": 1}}
    three = {"class_type": "EmptyImage", "inputs": {"width": 32, "height": 32, "batch_size": 3, "color": 1}}
    blend = {"image1": ["1", 0], "image2": ["2", 0], "blend_factor": 0.5, "blend_mode": "multiply"}
    graph = {"1": bad, "2": three, "3": {"class_type": "ImageBlend", "inputs": blend},
             "4": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}}}  # fmt: skip
    entry, messages = comfy.play(graph)
    (error,) = [m["data"] for m in messages if isinstance(m, dict) and m["type"] == "execution_error"]
    assert (error["node_id"], error["node_type"]) == ("3", "ImageBlend")
    assert error["exception_message"]
    assert set(error["executed"]) == {"1", "2"}
    assert kinds(messages)[-2:] == ["execution_error", "executing"]
    assert entry["status"]["status_str"] == "error"
    assert entry["status"]["completed"] is False
    assert entry["status"]["messages"][-1][0] == "execution_error"
    assert entry["outputs"] == {}


def test_strangers_hear_only_statuses(comfy: Any, quick: dict[str, Any]) -> None:
    with comfy.listen("stranger") as socket:
        comfy.play(quick)
        heard = []
        while True:
            heard.append(json.loads(socket.recv(timeout=10)))
            if len(heard) > 1 and heard[-1]["data"]["status"]["exec_info"]["queue_remaining"] == 0:
                break
    assert {message["type"] for message in heard} == {"status"}


def test_without_a_client_everybody_hears_progress_only(comfy: Any, quick: dict[str, Any]) -> None:
    with comfy.listen("bystander") as socket:
        comfy.submit(quick)
        heard = set()
        while True:
            message = json.loads(socket.recv(timeout=10))
            heard.add(message["type"])
            states = message["data"].get("nodes", {})
            if states.get("2", {}).get("state") == "finished":
                break
    assert heard == {"status", "progress_state"}


def noisy_video(frames: int) -> dict[str, Any]:
    """Return a graph that encodes frames which all differ."""
    color = uuid.uuid4().int % 0xFFFFFF
    return {
        "1": {"class_type": "EmptyImage",
              "inputs": {"width": 96, "height": 64, "batch_size": frames, "color": color}},
        "2": {"class_type": "ImageAddNoise", "inputs": {"image": ["1", 0], "seed": 3, "strength": 0.3}},
        "3": {"class_type": "CreateVideo", "inputs": {"images": ["2", 0], "fps": 24}},
        "4": {"class_type": "SaveVideo", "inputs": {"video": ["3", 0], "filename_prefix": "events/noise",
                                                    "format": "auto", "codec": "auto"}},
    }  # fmt: skip


def test_progress_within_a_node(comfy: Any, engine_only: None) -> None:
    _, messages = comfy.play(noisy_video(12))
    steps = [
        m["data"] for m in messages if isinstance(m, dict) and m["type"] == "progress" and m["data"]["node"] == "4"
    ]
    assert steps[-1]["value"] == steps[-1]["max"] == 12
    assert [step["value"] for step in steps] == sorted(step["value"] for step in steps)


def binary_of(comfy: Any, flags: bool) -> bytes:
    """Return the first preview of a run, asked for with or without details."""
    client_id = uuid.uuid4().hex
    with comfy.listen(client_id) as socket:
        if flags:
            socket.send(json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}}))
            while json.loads(socket.recv(timeout=10))["type"] != "feature_flags":
                pass
        assert comfy.submit(noisy_video(6), client_id=client_id).status_code == 200
        while not isinstance(message := socket.recv(timeout=30), bytes):
            pass
        return message


@pytest.mark.usefixtures("engine_only")
def test_a_preview_is_event_1_with_its_image_type(comfy: Any) -> None:
    message = binary_of(comfy, flags=False)
    assert struct.unpack(">II", message[:8]) == (1, 1)
    assert Image.open(io.BytesIO(message[8:])).size == (96, 64)


@pytest.mark.usefixtures("engine_only")
def test_a_preview_with_details_is_event_4(comfy: Any) -> None:
    message = binary_of(comfy, flags=True)
    event, length = struct.unpack(">II", message[:8])
    details = json.loads(message[8 : 8 + length])
    assert event == 4
    assert (details["node_id"], details["image_type"]) == ("4", "image/jpeg")
    picture = np.asarray(Image.open(io.BytesIO(message[8 + length :])))
    assert picture.shape == (64, 96, 3)


@pytest.mark.usefixtures("engine_only")
def test_the_same_client_twice_survives_the_end_of_the_old_one(comfy: Any, quick: dict[str, Any]) -> None:
    with comfy.listen("twice") as old, comfy.listen("twice") as new:
        json.loads(new.recv(timeout=10))
        for _ in range(2):  # the newest connection is served while the old one is open and after it ended
            comfy.submit(quick, client_id="twice")
            while json.loads(new.recv(timeout=10))["type"] != "execution_success":
                pass
            old.close()
