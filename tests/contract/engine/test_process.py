"""The local engine as a process and as a thread (its own behaviour only)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from x121lib.comfyui.engine import EngineOptions, start_engine


def launch(root: Path, *more: str) -> tuple[subprocess.Popen[str], str]:
    """Start an engine process; return it and its address."""
    command = [sys.executable, "-m", "x121lib.comfyui.engine", "--port", "0", "--root", str(root), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().split()[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_in_the_middle_of_a_prompt(
    tmp_path: Path, slow: dict[str, Any], number: signal.Signals
) -> None:
    process, url = launch(tmp_path)
    with connect(url.replace("http", "ws", 1) + "/ws?clientId=a") as socket, process:
        assert httpx.post(url + "/prompt", json={"prompt": slow, "client_id": "a"}).status_code == 200
        while '"executing"' not in str(socket.recv(timeout=20)):
            pass
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
        with contextlib.suppress(ConnectionClosed):
            while socket.recv(timeout=10):
                pass
    assert not list(tmp_path.rglob("*.part"))


def test_the_port_file_names_the_port(tmp_path: Path) -> None:
    process, url = launch(tmp_path / "root", "--port-file", str(tmp_path / "port"))
    with process:
        assert (tmp_path / "port").read_text() == url.rpartition(":")[2]
        process.terminate()
    assert sorted(os.listdir(tmp_path)) == ["port", "root"]


def test_a_restart_keeps_files_and_empties_temp(tmp_path: Path) -> None:
    for folder in ("output", "temp"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "old.png").write_bytes(b"x")
    engine = start_engine(tmp_path)
    assert httpx.get(engine.url + "/view?filename=old.png").content == b"x"
    assert httpx.get(engine.url + "/view?filename=old.png&type=temp").status_code == 404
    assert httpx.get(engine.url + "/queue").json() == {"queue_running": [], "queue_pending": []}
    engine.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(engine.url + "/queue")


def test_symbolic_links_do_not_lead_out(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    engine = start_engine(tmp_path / "root")
    (tmp_path / "root" / "output" / "link.png").symlink_to(secret)
    assert httpx.get(engine.url + "/view?filename=link.png").status_code == 403
    engine.stop()


def test_kept_results_stay_within_their_budget(tmp_path: Path) -> None:
    engine = start_engine(tmp_path, options=EngineOptions(cache_bytes=2_000_000))
    graph = {
        str(number): {"class_type": "EmptyImage",
                      "inputs": {"width": 256, "height": 256, "batch_size": 1, "color": number}}
        for number in range(6)
    }  # fmt: skip
    for number in range(6):
        graph[f"p{number}"] = {"class_type": "PreviewImage", "inputs": {"images": [str(number), 0]}}

    def played(prompt: dict[str, Any]) -> list[str]:
        """Return the nodes found in the cache."""
        with connect(engine.url.replace("http", "ws", 1) + "/ws?clientId=a") as socket:
            prompt_id = httpx.post(engine.url + "/prompt", json={"prompt": prompt, "client_id": "a"}).json()[
                "prompt_id"
            ]
            while '"node": null' not in str(socket.recv(timeout=20)):
                pass
        messages = httpx.get(f"{engine.url}/history/{prompt_id}").json()[prompt_id]["status"]["messages"]
        return dict(messages)["execution_cached"]["nodes"]

    assert played(graph) == []
    # Two frames of 786,432 bytes fit; what output nodes show takes no room.
    assert sorted(played(graph)) == ["4", "5", "p0", "p1", "p2", "p3", "p4", "p5"]
    engine.stop()
