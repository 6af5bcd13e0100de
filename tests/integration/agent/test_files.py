"""Model files that are sent to an agent: whole, in parts, wrong, and out of the folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.integration.agent.test_agent import made, running
from x121lib.agent.client import AgentClient, AgentError
from x121lib.testing.fake_nvml import FakeNvml

BODY = bytes(range(256)) * 900
SHA = hashlib.sha256(BODY).hexdigest()
PATH = "loras/soft light.safetensors"


def told(state: dict[str, Any]) -> tuple[str, int]:
    return str(state["state"]), int(state["n_bytes"])


def test_a_file_comes_in_parts_and_is_checked(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    with running(made(tmp_path, models=tmp_path / "models", receive_models=True), FakeNvml()) as (url, key):
        client, n = AgentClient(url, key), len(BODY)
        assert told(client.file_state(PATH, SHA)) == ("absent", 0)
        assert told(client.send_file(PATH, SHA, (0, n), iter([BODY[:1000]]))) == ("partial", 1000)
        assert told(client.file_state(PATH, SHA)) == ("partial", 1000)
        with pytest.raises(AgentError, match="1000 bytes lie there"):
            client.send_file(PATH, SHA, (0, n), iter([BODY]))
        assert client.models() == []
        done = client.send_file(PATH, SHA, (1000, n), iter([BODY[1000:5000], BODY[5000:]]))
        assert told(done) == ("present", n) == told(client.file_state(PATH, SHA))
        assert client.file_state(PATH, "0" * 64)["state"] == "other"
        with pytest.raises(AgentError, match="never replaced"):
            client.send_file(PATH, "0" * 64, (0, 1), iter([b"x"]))
    assert (tmp_path / "models" / PATH).read_bytes() == BODY
    assert [p.name for p in (tmp_path / "models" / "loras").iterdir()] == ["soft light.safetensors"]


def test_a_wrong_file_and_a_wrong_place_are_refused(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "out").symlink_to(tmp_path)
    with running(made(tmp_path, models=tmp_path / "models", receive_models=True), FakeNvml()) as (url, key):
        client = AgentClient(url, key)
        with pytest.raises(AgentError, match="SHA-256 is not the announced one"):
            client.send_file(PATH, "0" * 64, (0, 4), iter([b"body"]))
        with pytest.raises(AgentError, match="More bytes"):
            client.send_file(PATH, SHA, (0, 3), iter([b"body"]))
        with pytest.raises(AgentError, match="no room"):
            client.send_file(PATH, "1" * 64, (0, 1 << 60), iter([b"body"]))
        for path in ("soft.pt", "loras/../../x.pt", "loras/.x.pt", "loras/x.sh", "loras\\x/y.pt", "out/x.pt"):
            with pytest.raises(AgentError, match=r"no path of a model|leads out|not an X121 agent"):
                client.send_file(path, SHA, (0, 4), iter([b"body"]))
        with pytest.raises(AgentError, match="SHA-256 is none"):
            client.file_state(PATH, "x")
        with pytest.raises(AgentError, match="wrong"):
            AgentClient(url, "x").send_file(PATH, SHA, (0, 4), iter([b"body"]))
    with running(made(tmp_path, models=tmp_path / "models"), FakeNvml()) as (url, key):
        client = AgentClient(url, key)
        with pytest.raises(AgentError, match="receive_models"):
            client.send_file(PATH, SHA, (0, 4), iter([b"body"]))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["agent.key", "models"]


def test_only_the_named_older_version_is_replaced_and_a_part_can_be_forgotten(tmp_path: Path) -> None:
    new = BODY[::-1]
    new_sha = hashlib.sha256(new).hexdigest()
    (tmp_path / "models" / "loras").mkdir(parents=True)
    place = tmp_path / "models" / PATH
    place.write_bytes(BODY)
    with running(made(tmp_path, models=tmp_path / "models", receive_models=True), FakeNvml()) as (url, key):
        client, n = AgentClient(url, key), len(new)
        with pytest.raises(AgentError, match="never replaced unasked"):
            client.send_file(PATH, new_sha, (0, n), iter([new]))
        with pytest.raises(AgentError, match="Another file than the version to replace"):
            client.send_file(PATH, new_sha, (0, n), iter([new]), replaces="0" * 64)
        assert client.file_state(PATH, new_sha)["sha256"] == SHA
        client.send_file(PATH, new_sha, (0, n), iter([new[:5000]]), replaces=SHA)
        assert client.file_state(PATH, new_sha)["part_bytes"] == 5000
        assert place.read_bytes() == BODY
        client.forget_file(PATH, new_sha)
        assert client.file_state(PATH, new_sha)["part_bytes"] == 0
        client.forget_file(PATH, SHA)
        assert told(client.send_file(PATH, new_sha, (0, n), iter([new]), replaces=SHA)) == ("present", n)
    assert place.read_bytes() == new
    assert list(place.parent.iterdir()) == [place]
