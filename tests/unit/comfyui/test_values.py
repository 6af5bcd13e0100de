"""Pure readings: outputs, queue, history, events, addresses, upload names."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest

from x121lib.comfyui.addresses import check_worker_url
from x121lib.comfyui.api import ascii_name
from x121lib.comfyui.errors import BadAddressError
from x121lib.comfyui.events import Event, ProgressTracker, parse_message
from x121lib.comfyui.outputs import OutputKind, parse_outputs
from x121lib.comfyui.wire import parse_history, parse_json, parse_queue


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com", "http or https"),
        ("http://me:secret@example.com", "credentials"),
        ("http://", "no host"),
        ("http://h:99999", "port"),
        ("http://1.1.1.1/?x=1", "query"),
        ("http://127.0.0.1:8188", "public"),
        ("http://10.0.0.3", "public"),
        ("http://169.254.169.254", "public"),
        ("http://[::1]:8188", "public"),
        ("http://[::ffff:10.0.0.1]", "public"),
        ("http://0.0.0.0", "public"),
        ("http://localhost:8188", "public"),
    ],
)
def test_bad_addresses_are_refused_without_telling_secrets(url: str, reason: str) -> None:
    with pytest.raises(BadAddressError, match=reason) as caught:
        check_worker_url(url, allow_private=False)
    assert "secret" not in str(caught.value)


def test_good_addresses_come_back_without_a_slash() -> None:
    assert check_worker_url("http://127.0.0.1:8188/", allow_private=True) == "http://127.0.0.1:8188"
    assert check_worker_url(" https://1.1.1.1/comfy/ ", allow_private=False) == "https://1.1.1.1/comfy"


def test_pending_prompts_are_sorted_by_number() -> None:
    pending = [[-3.5, "b"], [7, "d"], [1, "c"], [-99, "a"]]
    state = parse_queue({"queue_running": [[0, "r"]], "queue_pending": pending})
    assert state.pending == ("a", "b", "c", "d")
    assert [state.place(name) for name in ("r", "a", "d", "x")] == [0, 1, 4, None]


def test_outputs_come_sorted_whatever_their_key() -> None:
    items = {"9": {"odd": [None, "x", {"filename": "z.MP4"}]}, "1": {"audio": [{"filename": "a.flac", "type": "temp"}]}}
    found = parse_outputs(items)
    assert [(file.node_id, file.kind, file.folder_type) for file in found] == [
        ("1", OutputKind.AUDIO, "temp"),
        ("9", OutputKind.VIDEO, "output"),
    ]
    assert parse_outputs(None) == ()


def test_history_without_an_entry_or_with_odd_parts() -> None:
    assert parse_history({}, "p") is None
    entry = parse_history({"p": {"status": None, "outputs": None, "prompt": []}}, "p")
    assert entry is not None
    assert entry.succeeded
    assert (entry.start_ms, entry.failure, entry.cached_nodes) == (None, None, frozenset())


def test_json_with_python_s_own_tokens_is_read() -> None:
    assert parse_json('{"a": NaN, "b": [-Infinity, Infinity, 1]}') == {"a": None, "b": [None, None, 1]}


@pytest.mark.parametrize(
    "raw", ["{", "3", '{"data": {}}', b"\0\0\0\3\0\0\0\1text", b"", struct.pack(">II", 4, 3) + b"{"]
)
def test_messages_that_say_nothing_are_passed_over(raw: str | bytes) -> None:
    assert parse_message(raw) is None


def test_preview_with_metadata_belongs_to_its_prompt() -> None:
    meta = json.dumps({"prompt_id": "p"}).encode()
    event = parse_message(struct.pack(">II", 4, len(meta)) + meta + b"\xff\xd8")
    assert event is not None
    assert (event.kind, event.prompt_id) == ("preview", "p")


def states(**nodes: tuple[str, float, float]) -> Event:
    """Return a progress_state event."""
    data: dict[str, Any] = {"nodes": {n: {"state": s, "value": v, "max": m} for n, (s, v, m) in nodes.items()}}
    return Event("progress_state", "p", data)


def test_progress_counts_cached_finished_and_partly_done_nodes() -> None:
    now = [0.0]
    tracker = ProgressTracker("p", ["a", "b", "c", "d"], clock=lambda: now[0])
    tracker.apply(Event("execution_cached", "p", {"nodes": ["a", "unknown"]}))
    assert tracker.progress.fraction == 0.25
    tracker.apply(states(b=("running", 1, 2)))
    assert tracker.progress.fraction == 0.375
    now[0] = 2.0
    tracker.apply(states(b=("finished", 2, 2), c=("running", 0, 1)))
    assert (tracker.progress.fraction, tracker.progress.node) == (0.5, "c")
    assert tracker.node_times_s == {"b": 2.0}
    tracker.apply(Event("executing", "p", {"node": None}))
    assert tracker.ended


def test_node_times_from_executing_alone() -> None:
    now = [0.0]
    tracker = ProgressTracker("p", ["a", "b"], clock=lambda: now[0])
    for at, node in ((0.0, "a"), (1.5, "b"), (4.0, None)):
        now[0] = at
        tracker.apply(Event("executing", "p", {"node": node}))
    assert tracker.node_times_s == {"a": 1.5, "b": 2.5}


def test_upload_names_are_ascii_and_stay_distinct() -> None:
    assert ascii_name("plain-1.png") == "plain-1.png"
    names = {ascii_name(name) for name in ("é.png", "è.png", "../e.png", "日本.png", "a b.png", ".hidden", 'q".png')}
    assert len(names) == 7
    assert all(name.isascii() and "/" not in name and not name.startswith(".") for name in names)
