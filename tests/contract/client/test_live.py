"""What an onlooker sees of a prompt: node, pictures, raw messages, and all of it within bounds."""

from __future__ import annotations

import json
import struct
import uuid

import pytest

from tests.contract.client.test_faults import GRAPH, IMAGE, QUICK, within
from x121lib.comfyui import ComfyClient
from x121lib.comfyui.events import Event
from x121lib.comfyui.live import MAX_EVENT_BYTES, MAX_EVENTS, MAX_PREVIEW_BYTES, LiveRun, Look, storable
from x121lib.testing.fake_comfyui import FakeComfy, Script

JPEG, PNG = b"\xff\xd8\xff picture", b"\x89PNG picture"


def with_metadata(picture: bytes) -> bytes:
    """Return a preview of type 4; the id's placeholder is as long as what replaces it is not, so it is padded."""
    told = json.dumps({"node_id": "1", "display_node_id": "1", "prompt_id": "{prompt}", "image_type": "image/jpeg"})
    length = len(told) - len("{prompt}") + 36
    return struct.pack(">II", 4, length) + told.encode() + picture


async def looked_at(script: Script) -> Look:
    live, prompt_id = LiveRun(), str(uuid.uuid4())
    async with FakeComfy(script).serving() as server, ComfyClient(server.url, options=QUICK) as client:
        client.attend(prompt_id, live)
        await client.run(GRAPH, prompt_id=prompt_id, expect=IMAGE)
    return live.look()


@pytest.mark.capability("PRD-34/see-intermediate-latents")
@pytest.mark.parametrize(
    ("message", "kind", "picture"),
    [
        (with_metadata(JPEG), "image/jpeg", JPEG),
        (struct.pack(">II", 1, 1) + JPEG, "image/jpeg", JPEG),
        (struct.pack(">II", 1, 2) + PNG, "image/png", PNG),
    ],
    ids=["with metadata", "old jpeg", "old png"],
)
def test_a_preview_is_kept_with_its_node(message: bytes, kind: str, picture: bytes) -> None:
    preview = within(looked_at(Script(previews=[message]))).preview
    assert preview is not None
    assert (preview.media_type, preview.content, preview.node_id) == (kind, picture, "1")


@pytest.mark.capability("PRD-34/raw-data-inspector")
def test_request_events_and_result_are_kept() -> None:
    look = within(looked_at(Script()))
    assert look.request["2"]["class_type"] == "SaveImage"
    assert look.events[0]["type"] == "execution_start"
    assert look.result is not None
    assert look.result["succeeded"] is True
    assert look.result["outputs"]["2"]["images"][0]["filename"] == "a.png"
    assert set(look.finished) == {"1", "2"}


def test_a_long_run_stays_within_bounds() -> None:
    live = LiveRun()
    for i in range(MAX_EVENTS * 2):
        live.hear(Event("progress", "p", {"node": "1", "value": i, "max": 600}))
    live.hear(Event("executed", "p", {"output": "x" * (MAX_EVENT_BYTES + 1)}))
    live.hear(Event("preview", "p", {"node_id": "1"}, b"x" * (MAX_PREVIEW_BYTES + 1)))
    look = live.look()
    assert len(look.events) == MAX_EVENTS
    assert look.events[-1]["data"] == {"shortened": True, "bytes": MAX_EVENT_BYTES + 1 + len('{"output": ""}')}
    assert look.preview is None
    assert (look.step, look.n_steps) == (599, 600)


def test_what_a_database_refuses_is_replaced() -> None:
    assert storable({"a\x00": [float("nan"), float("inf"), 1.5, "b\x00", "\ud800", True, None]}) == {
        "a\N{REPLACEMENT CHARACTER}": [None, None, 1.5, "b\N{REPLACEMENT CHARACTER}", "?", True, None]
    }


def test_the_end_of_a_node_is_said_once() -> None:
    live, ends = LiveRun(), []
    live.on_node_end = lambda: ends.append(live.look().finished)
    live.hear(Event("execution_cached", "p", {"nodes": ["1"]}))
    for node in ("2", "2", "3"):
        live.hear(Event("executing", "p", {"node": node}))
    live.hear(Event("executing", "p", {"node": None}))
    assert ends == [("1", "2"), ("1", "2", "3")]


def test_an_interrupted_node_has_not_ended() -> None:
    live = LiveRun()
    live.hear(Event("executing", "p", {"node": "1"}))
    live.hear(Event("executing", "p", {"node": "2"}))
    live.hear(Event("execution_interrupted", "p", {"node_id": "2"}))
    live.hear(Event("executing", "p", {"node": None}))
    assert live.look().finished == ("1",)
