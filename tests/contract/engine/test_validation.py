"""Prompts that are refused, and how."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

EMPTY = {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}}
SAVE = {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}}


def changed(**inputs: Any) -> dict[str, Any]:
    """Return a graph whose ImageScale has changed inputs; None removes one."""
    wanted = {"image": ["1", 0], "upscale_method": "area", "width": 8, "height": 8, "crop": "disabled", **inputs}
    scale = {"class_type": "ImageScale", "inputs": {key: value for key, value in wanted.items() if value is not None}}
    return {"1": EMPTY, "2": scale, "3": SAVE}


CASES = [
    (changed(width=None), "required_input_missing", "width"),
    (changed(upscale_method="sharp"), "value_not_in_list", "upscale_method"),
    (changed(width=16385), "value_bigger_than_max", "width"),
    (changed(width=-1), "value_smaller_than_min", "width"),
    (changed(width="wide"), "invalid_input_type", "width"),
    (changed(width=["1", 0]), "return_type_mismatch", "width"),
    (changed(image=["1", 0, 0]), "bad_linked_input", "image"),
]


@pytest.mark.parametrize(("graph", "kind", "input_name"), CASES, ids=[case[1] for case in CASES])
def test_a_wrong_input_is_named(comfy: Any, graph: dict[str, Any], kind: str, input_name: str) -> None:
    answer = comfy.submit(graph)
    assert answer.status_code == 400
    body = answer.json()
    assert body["error"]["type"] == "prompt_outputs_failed_validation"
    assert list(body["node_errors"]) == ["2"]
    assert body["node_errors"]["2"]["class_type"] == "ImageScale"
    assert body["node_errors"]["2"]["dependent_outputs"] == ["3"]
    (error,) = body["node_errors"]["2"]["errors"]
    assert error["type"] == kind
    assert error["extra_info"]["input_name"] == input_name
    assert input_name in error["details"]
    assert error["message"]


@pytest.mark.parametrize("link", [["99", 0], [1, 0], ["1", 7]], ids=["absent", "number as id", "bad slot"])
def test_a_link_into_nowhere_is_an_exception(comfy: Any, link: list[Any]) -> None:
    answer = comfy.submit(changed(image=link))
    assert answer.status_code == 400
    (error,) = answer.json()["node_errors"]["2"]["errors"]
    assert error["type"] == "exception_during_inner_validation"


def test_a_missing_file_is_named(comfy: Any) -> None:
    answer = comfy.submit({"1": {"class_type": "LoadImage", "inputs": {"image": "nope.png"}},
                           "3": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}})  # fmt: skip
    (error,) = answer.json()["node_errors"]["1"]["errors"]
    assert error["type"] == "custom_validation_failed"
    assert error["details"] == "image - Invalid image file: nope.png"


def test_a_file_outside_the_input_folder_does_not_exist(comfy: Any, engine_only: None) -> None:
    answer = comfy.submit({"1": {"class_type": "LoadImage", "inputs": {"image": "../../../../../../etc/hostname"}},
                           "3": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}})  # fmt: skip
    assert answer.json()["node_errors"]["1"]["errors"][0]["type"] == "custom_validation_failed"


def test_an_unknown_class_is_named(comfy: Any) -> None:
    graph = {"1": EMPTY, "7": {"class_type": "NoSuchNode", "inputs": {}, "_meta": {"title": "My node"}}}
    answer = comfy.submit(graph)
    assert answer.status_code == 400
    body = answer.json()
    assert body["node_errors"] == {}
    if body["error"]["type"] == "invalid_prompt":  # ComfyUI 0.3
        assert "NoSuchNode" in body["error"]["message"]
        return
    assert body["error"]["type"] == "missing_node_type"
    assert body["error"]["extra_info"] == {"node_id": "7", "class_type": "NoSuchNode", "node_title": "My node"}


def test_a_cycle_is_refused(comfy: Any) -> None:
    scale = {"upscale_method": "area", "width": 8, "height": 8, "crop": "disabled"}
    graph = {
        "1": {"class_type": "ImageScale", "inputs": {**scale, "image": ["2", 0]}},
        "2": {"class_type": "ImageScale", "inputs": {**scale, "image": ["1", 0]}},
        "3": SAVE,
    }
    answer = comfy.submit(graph)
    assert answer.status_code == 400
    if answer.json()["node_errors"]:  # empty in ComfyUI 0.3
        kinds = {error["type"] for node in answer.json()["node_errors"].values() for error in node["errors"]}
        assert kinds == {"dependency_cycle"}


@pytest.mark.parametrize("graph", [{}, {"1": EMPTY}], ids=["empty", "no output node"])
def test_a_prompt_needs_an_output(comfy: Any, graph: dict[str, Any]) -> None:
    answer = comfy.submit(graph)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "prompt_no_outputs"


def test_a_node_needs_a_class(comfy: Any) -> None:
    answer = comfy.submit({"1": {"inputs": {}}})
    assert (answer.status_code, answer.json()["error"]["type"]) in {(400, "invalid_prompt"), (400, "missing_node_type")}


def test_a_request_needs_a_prompt(comfy: Any) -> None:
    answer = comfy.http.post("/prompt", json={})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "no_prompt")


@pytest.mark.parametrize(
    "body", [b"{", b'{"prompt": null}', b'{"prompt": {}, "number": "abc"}'], ids=["not JSON", "null", "number"]
)
def test_nonsense_is_answered_500_in_plain_text(comfy: Any, body: bytes) -> None:
    answer = comfy.http.post("/prompt", content=body)
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/plain")


def test_numbers_as_text_are_converted(comfy: Any) -> None:
    graph = changed(width="16", height="8")
    save = {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}}
    entry, _ = comfy.play({**graph, "3": save})
    assert entry["status"]["status_str"] == "success"


def test_valid_outputs_run_beside_invalid_ones(comfy: Any, quick: dict[str, Any]) -> None:
    bad = {"class_type": "PreviewImage", "inputs": {}}
    answer = comfy.submit({**quick, "9": bad}, client_id=uuid.uuid4().hex)
    assert answer.status_code == 200
    assert answer.json()["node_errors"]["9"]["errors"][0]["type"] == "required_input_missing"
    entry, _ = comfy.play({**quick, "9": bad})
    assert set(entry["outputs"]) == {"2"}
    assert entry["prompt"][4] == ["2"]


def test_partial_execution_targets_limit_the_outputs(comfy: Any, quick: dict[str, Any]) -> None:
    # ComfyUI 0.3 shows an output that was not asked for where the cache has its twin; a name of its own has none.
    save = {"images": ["1", 0], "filename_prefix": f"partial/{uuid.uuid4().hex}"}
    graph = {**quick, "9": {"class_type": "SaveImage", "inputs": save}}
    entry, messages = comfy.play(graph, partial_execution_targets=["9"])
    assert set(entry["outputs"]) == {"9"}
    assert entry["prompt"][4] == ["9"]
    assert "2" not in {message["data"].get("node") for message in messages if isinstance(message, dict)}


@pytest.mark.parametrize(
    "prompt_id",
    ["mine", str(uuid.uuid4()).upper(), uuid.uuid4().hex, 5],
    ids=["word", "capitals", "no hyphens", "number"],
)
def test_a_prompt_id_must_be_a_canonical_uuid(comfy: Any, engine_only: None, prompt_id: Any) -> None:
    answer = comfy.submit(changed(), prompt_id=prompt_id)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_prompt_id")
