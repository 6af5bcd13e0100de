"""The queue, interruption and history."""

from __future__ import annotations

import copy
import json
import uuid
from typing import Any


def ids(comfy: Any) -> tuple[list[str], list[str]]:
    """Return the running and the pending ids, pending in the order they will run."""
    queue = comfy.http.get("/queue").json()
    pending = sorted(queue["queue_pending"], key=lambda item: item[0])
    return [item[1] for item in queue["queue_running"]], [item[1] for item in pending]


class Busy:
    """A server that works on a slow prompt while the body runs; interrupts it afterwards."""

    def __init__(self, comfy: Any, slow: dict[str, Any]) -> None:
        self.comfy = comfy
        self.prompt_id = str(uuid.uuid4())
        self.client_id = uuid.uuid4().hex
        self.graph = slow

    def __enter__(self) -> Busy:
        self.connection = self.comfy.listen(self.client_id)
        self.socket = self.connection.__enter__()
        answer = self.comfy.submit(self.graph, prompt_id=self.prompt_id, client_id=self.client_id)
        assert answer.status_code == 200, answer.text
        self.wait_for("executing")
        return self

    def wait_for(self, kind: str) -> dict[str, Any]:
        """Read until a message of a kind."""
        while True:
            raw = self.socket.recv(timeout=60)
            if isinstance(raw, str) and (message := json.loads(raw))["type"] == kind:
                return message["data"]

    def __exit__(self, *_: object) -> None:
        self.comfy.http.post("/queue", json={"clear": True})
        self.comfy.http.post("/interrupt", json={"prompt_id": self.prompt_id})
        while self.comfy.http.get("/prompt").json()["exec_info"]["queue_remaining"]:
            pass
        self.connection.__exit__(None, None, None)


def queue_up(comfy: Any, graph: dict[str, Any], **more: Any) -> str:
    """Queue a prompt; return its id."""
    answer = comfy.submit(copy.deepcopy(graph), prompt_id=str(uuid.uuid4()), **more)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["prompt_id"])


def test_order_front_and_number(comfy: Any, slow: dict[str, Any], quick: dict[str, Any]) -> None:
    with Busy(comfy, slow) as busy:
        first, second = queue_up(comfy, quick), queue_up(comfy, quick)
        front = queue_up(comfy, quick, front=True)
        foremost = queue_up(comfy, quick, front=True)
        explicit = queue_up(comfy, quick, number=-99999.5)
        running, pending = ids(comfy)
        assert running == [busy.prompt_id]
        assert pending == [explicit, foremost, front, first, second]


def test_an_item_has_five_parts(comfy: Any, slow: dict[str, Any], quick: dict[str, Any]) -> None:
    with Busy(comfy, slow):
        prompt_id = queue_up(comfy, quick, client_id="me", extra_data={"note": "kept"})
        (item,) = comfy.http.get("/queue").json()["queue_pending"]
        number, found, graph, extra, outputs = item
        assert isinstance(number, int | float)
        assert (found, graph, outputs) == (prompt_id, quick, ["2"])
        assert (extra["client_id"], extra["note"]) == ("me", "kept")
        assert comfy.http.get("/prompt").json()["exec_info"]["queue_remaining"] == 2


def test_numbers_are_consumed_by_rejected_prompts_too(comfy: Any, quick: dict[str, Any]) -> None:
    first = comfy.submit(quick).json()["number"]
    assert comfy.submit({}).status_code == 400
    assert comfy.submit(quick).json()["number"] == first + 2


def test_delete_and_clear(comfy: Any, slow: dict[str, Any], quick: dict[str, Any]) -> None:
    with Busy(comfy, slow) as busy:
        first, second, third = (queue_up(comfy, quick) for _ in range(3))
        unknown = str(uuid.uuid4())
        answer = comfy.http.post("/queue", json={"delete": [second, unknown, busy.prompt_id]})
        assert (answer.status_code, answer.content) == (200, b"")
        assert ids(comfy) == ([busy.prompt_id], [first, third])
        comfy.http.post("/queue", json={"clear": True})
        assert ids(comfy) == ([busy.prompt_id], [])
        assert comfy.http.get(f"/history/{second}").json() == {}


def test_interrupting_the_running_prompt(comfy: Any, slow: dict[str, Any]) -> None:
    with Busy(comfy, slow) as busy:
        assert comfy.http.post("/interrupt", json={"prompt_id": busy.prompt_id}).content == b""
        told = busy.wait_for("execution_interrupted")
        assert told["prompt_id"] == busy.prompt_id
        assert told["node_id"] in slow
        assert told["node_type"] in {"ImageBlur", "EmptyImage"}
        assert busy.wait_for("executing")["node"] is None
        entry = comfy.http.get(f"/history/{busy.prompt_id}").json()[busy.prompt_id]
        assert entry["status"]["status_str"] == "error"
        assert entry["status"]["messages"][-1][0] == "execution_interrupted"
        assert entry["outputs"] == {}


def test_interrupting_without_an_id_stops_what_runs(comfy: Any, slow: dict[str, Any]) -> None:
    with Busy(comfy, slow) as busy:
        comfy.http.post("/interrupt")
        assert busy.wait_for("execution_interrupted")["prompt_id"] == busy.prompt_id


def test_interrupting_a_pending_prompt_does_nothing(comfy: Any, slow: dict[str, Any], quick: dict[str, Any]) -> None:
    with Busy(comfy, slow) as busy:
        pending = queue_up(comfy, quick)
        comfy.http.post("/interrupt", json={"prompt_id": pending})
        assert busy.wait_for("executing")["prompt_id"] == busy.prompt_id
        assert ids(comfy) == ([busy.prompt_id], [pending])


def test_an_interrupt_while_idle_harms_no_later_prompt(comfy: Any, quick: dict[str, Any]) -> None:
    comfy.http.post("/interrupt")
    entry, _ = comfy.play(quick)
    assert entry["status"]["status_str"] == "success"


def test_interruption_between_the_frames_of_one_node(comfy: Any, engine_only: None) -> None:
    empty = {"width": 64, "height": 64, "batch_size": 2000, "color": uuid.uuid4().int % 0xFFFFFF}
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": empty},
        "2": {"class_type": "ImageAddNoise", "inputs": {"image": ["1", 0], "seed": 1, "strength": 0.5}},
        "3": {"class_type": "ImageQuantize", "inputs": {"image": ["2", 0], "colors": 64, "dither": "bayer-4"}},
        "4": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}},
    }
    with Busy(comfy, graph) as busy:
        while busy.wait_for("progress")["node"] != "3":
            pass
        comfy.http.post("/interrupt", json={"prompt_id": busy.prompt_id})
        told = busy.wait_for("execution_interrupted")
        assert (told["node_id"], told["executed"]) == ("3", ["1", "2"])


def test_history_keeps_limits_and_forgets(comfy: Any, quick: dict[str, Any]) -> None:
    found = []
    for color in range(3):
        quick["1"]["inputs"]["color"] = 100 + color
        prompt_id = str(uuid.uuid4())
        comfy.play(quick, prompt_id=prompt_id)
        found.append(prompt_id)
    assert list(comfy.http.get("/history", params={"max_items": 2}).json()) == found[1:]
    entry = comfy.http.get(f"/history/{found[0]}").json()[found[0]]
    assert entry["prompt"][1:3] == [found[0], {**quick, "1": {**quick["1"], "inputs": {
        **quick["1"]["inputs"], "color": 100}}}]  # fmt: skip
    comfy.http.post("/history", json={"delete": [found[0]]})
    assert comfy.http.get(f"/history/{found[0]}").json() == {}
    assert set(found[1:]) <= set(comfy.http.get("/history").json())
    comfy.http.post("/history", json={"clear": True})
    assert comfy.http.get("/history").json() == {}


def test_create_time_is_kept(comfy: Any, engine_only: None, quick: dict[str, Any]) -> None:
    entry, _ = comfy.play(quick)
    started = entry["status"]["messages"][0][1]["timestamp"]
    assert 0 <= started - entry["prompt"][3]["create_time"] < 60_000
