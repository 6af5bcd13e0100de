"""What a server's own words decide."""

from __future__ import annotations

from typing import Any

import pytest

from x121lib.comfyui.errors import rejection
from x121lib.comfyui.generations import Cancelling, read_generation

CLASSES = {"1": "EmptyImage", "7": "NoSuchNode"}


@pytest.mark.parametrize(
    ("version", "has_jobs", "cancelling"),
    [
        ("0.3.40", False, Cancelling.NONE),
        ("0.3.56", False, Cancelling.NONE),
        ("0.3.57", False, Cancelling.AIMED),
        ("0.3.64", False, Cancelling.AIMED),
        ("0.6.0", True, Cancelling.AIMED),
        ("0.25.1", True, Cancelling.AIMED),
        ("0.26.0", True, Cancelling.JOB),
        ("v0.28", True, Cancelling.JOB),
        ("1.0.0", True, Cancelling.JOB),
        ("0.26.0+x121", False, Cancelling.AIMED),
        ("unknown", True, Cancelling.JOB),
        ("unknown", False, Cancelling.NONE),
        ("", False, Cancelling.NONE),
        ("99999.1", False, Cancelling.NONE),
        ("0.3.57.1.2", False, Cancelling.NONE),
    ],
)
def test_how_a_running_prompt_is_stopped(version: str, has_jobs: bool, cancelling: Cancelling) -> None:
    assert read_generation(version, None, has_jobs=has_jobs).cancelling is cancelling


@pytest.mark.parametrize(
    ("features", "limit"),
    [(None, None), ([], None), ({}, None), ({"max_upload_size": 104857600}, 104857600),
     ({"max_upload_size": True}, None), ({"max_upload_size": "big"}, None), ({"max_upload_size": 0}, None)],
)  # fmt: skip
def test_the_largest_request_is_read_from_the_features(features: Any, limit: int | None) -> None:
    assert read_generation("0.3.64", features, has_jobs=False).upload_bytes == limit


NEW = {
    "type": "missing_node_type", "message": "Node 'My node' not found.", "details": "Node ID '#7'",
    "extra_info": {"node_id": "7", "class_type": "NoSuchNode", "node_title": "My node"},
}  # fmt: skip
OLD = {
    "type": "invalid_prompt", "message": "Cannot execute because node NoSuchNode does not exist.",
    "details": "Node ID '#7'", "extra_info": {},
}  # fmt: skip


@pytest.mark.parametrize("error", [NEW, OLD], ids=["0.25", "0.3"])
def test_a_missing_class_is_named_the_same_in_both_forms(error: dict[str, Any]) -> None:
    refused = rejection("p", {"error": error, "node_errors": {}}, CLASSES)
    assert refused.missing_class == "NoSuchNode"
    assert refused.message == "ComfyUI refused the workflow: node 7 (NoSuchNode): this server has no such node class"


@pytest.mark.parametrize(
    "error",
    [
        {"type": "prompt_no_outputs", "message": "Prompt has no outputs", "details": ""},
        {"type": "invalid_prompt", "message": "m", "details": "Node ID '#99'"},
        {"type": "missing_node_type", "message": "m", "details": None, "extra_info": None},
    ],
)
def test_other_refusals_name_no_class(error: dict[str, Any]) -> None:
    refused = rejection("p", {"error": error, "node_errors": {}}, CLASSES)
    assert refused.missing_class == ""
    assert str(error["message"]) in refused.message
