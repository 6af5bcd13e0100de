"""One suite, two servers: the local engine always, and a real ComfyUI where X121_TEST_COMFYUI_URL names one."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from websockets.sync.client import ClientConnection, connect

WAIT_S = 60.0
_REAL_URL = os.environ.get("X121_TEST_COMFYUI_URL", "")


class Comfy:
    """A client that does nothing clever: raw HTTP and raw WebSocket."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=WAIT_S)

    def listen(self, client_id: str | None = None) -> AbstractContextManager[ClientConnection]:
        """Connect the WebSocket, for a ``with`` block."""
        query = "" if client_id is None else f"?clientId={client_id}"
        return connect(self.url.replace("http", "ws", 1) + "/ws" + query, max_size=None, max_queue=None)

    def submit(self, graph: dict[str, Any], **more: Any) -> httpx.Response:
        """POST a prompt."""
        return self.http.post("/prompt", json={"prompt": graph, **more})

    def play(self, graph: dict[str, Any], **more: Any) -> tuple[dict[str, Any], list[Any]]:
        """Run a prompt; return its history entry and every message up to ``executing`` with no node."""
        client_id = uuid.uuid4().hex
        with self.listen(client_id) as socket:
            answer = self.submit(graph, client_id=client_id, **more)
            assert answer.status_code == 200, answer.text
            prompt_id = answer.json()["prompt_id"]
            messages = list(until_end(socket, prompt_id))
        return self.http.get(f"/history/{prompt_id}").json()[prompt_id], messages

    def result(self, graph: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Run a prompt that must succeed; return its outputs by node."""
        entry, _ = self.play(graph, **more)
        assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
        return entry["outputs"]

    def file(self, shown: dict[str, Any]) -> bytes:
        """Fetch a shown file."""
        answer = self.http.get("/view", params={key: shown[key] for key in ("filename", "subfolder", "type")})
        assert answer.status_code == 200
        return answer.content

    def upload(self, pixels: np.ndarray, name: str | None = None) -> str:
        """Upload an RGB image under a fresh name; return the name to use."""
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        name = name or f"{uuid.uuid4().hex}.png"
        answer = self.http.post("/upload/image", files={"image": (name, buffer.getvalue())})
        assert answer.status_code == 200
        return str(answer.json()["name"])

    def pixels(self, graph: dict[str, Any], node: str, slot: int = 0) -> np.ndarray:
        """Run a graph with a SaveImage at ``node``; return its frames as uint8 (frames, height, width, 3)."""
        save = {"images": [node, slot], "filename_prefix": f"t{uuid.uuid4().hex}"}
        shown = self.result({**graph, "save": {"class_type": "SaveImage", "inputs": save}})["save"]["images"]
        return np.stack([np.asarray(Image.open(io.BytesIO(self.file(one)))) for one in shown])


def until_end(socket: ClientConnection, prompt_id: str) -> Iterator[Any]:
    """Yield messages (JSON parsed, binary as bytes) up to the prompt's end."""
    while True:
        raw = socket.recv(timeout=WAIT_S)
        message = raw if isinstance(raw, bytes) else json.loads(raw)
        yield message
        if isinstance(message, dict) and message["type"] == "executing":
            data = message["data"]
            if data["node"] is None and data.get("prompt_id") == prompt_id:
                return


def with_changes(comfy: Comfy, graph: dict[str, Any]) -> dict[str, Any]:
    """Return a graph as saved files carry it: LoadImage nodes with their file's SHA-256 as ``is_changed``."""

    def digest(name: str) -> str:
        subfolder, _, filename = name.rpartition("/")
        shown = {"filename": filename, "subfolder": subfolder, "type": "input"}
        return hashlib.sha256(comfy.file(shown)).hexdigest()

    return {
        key: {**node, "is_changed": [digest(node["inputs"]["image"])]} if node["class_type"] == "LoadImage" else node
        for key, node in graph.items()
    }


def start_engine_process(root: Path) -> tuple[subprocess.Popen[str], str]:
    """Start the engine as a process; return it and its address."""
    command = [sys.executable, "-m", "x121lib.comfyui.engine", "--port", "0", "--root", str(root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("listening on http://127.0.0.1:"), line
    return process, line.split()[-1]


@pytest.fixture(scope="session")
def engine_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one engine process for the whole session."""
    process, url = start_engine_process(tmp_path_factory.mktemp("engine"))
    yield url
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=15) == 0
    assert process.stdout is not None
    process.stdout.close()


@pytest.fixture(scope="session", params=["engine", *(["real"] if _REAL_URL else [])])
def comfyui_url(request: pytest.FixtureRequest) -> str:
    """The server under test."""
    return _REAL_URL.rstrip("/") if request.param == "real" else request.getfixturevalue("engine_url")


@pytest.fixture(scope="session")
def comfy(comfyui_url: str) -> Iterator[Comfy]:
    """A raw client of the server under test."""
    client = Comfy(comfyui_url)
    yield client
    client.http.close()


@pytest.fixture
def engine_only(comfyui_url: str) -> None:
    """Skip where a real ComfyUI is under test: the case is the engine's own."""
    if comfyui_url == _REAL_URL.rstrip("/"):
        pytest.skip("the local engine's own behaviour")


@pytest.fixture
def picture() -> np.ndarray:
    """A 48 × 40 RGB picture with gradients, an edge and fine texture."""
    y, x = np.mgrid[0:40, 0:48]
    red, green = x * 5.2, y * 6.1
    blue = np.where(x + y > 44, 220, 30) + (x * 7 + y * 13) % 17
    return np.stack([red, green, blue], axis=-1).clip(0, 255).astype(np.uint8)


@pytest.fixture
def slow() -> dict[str, Any]:
    """A graph of many short nodes that takes seconds and is never cached."""
    color = uuid.uuid4().int % 0xFFFFFF
    graph = {"0": {"class_type": "EmptyImage",
                   "inputs": {"width": 512, "height": 512, "batch_size": 1, "color": color}}}  # fmt: skip
    for number in range(1, 400):
        inputs = {"image": [str(number - 1), 0], "blur_radius": 8, "sigma": 1.0}
        graph[str(number)] = {"class_type": "ImageBlur", "inputs": inputs}
    graph["end"] = {"class_type": "PreviewImage", "inputs": {"images": ["399", 0]}}
    return graph


@pytest.fixture
def quick() -> dict[str, Any]:
    """A small graph that is never cached."""
    empty = {"width": 16, "height": 16, "batch_size": 1, "color": uuid.uuid4().int % 0xFFFFFF}
    return {
        "1": {"class_type": "EmptyImage", "inputs": empty},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
