"""The agent over real HTTP with a fake NVML, and the studio's side of it."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import sqlalchemy as sa
from aiohttp import web

from x121lib import model as m
from x121lib.agent import config
from x121lib.agent.client import AgentClient, AgentError
from x121lib.agent.gpus import Gpus
from x121lib.agent.server import Agent
from x121lib.base.errors import ForbiddenError, InvalidInputError, NotFoundError
from x121lib.terms.roles import Actor
from x121lib.terms.vocabulary import EventKind
from x121lib.testing.fake_nvml import Card, FakeNvml

if TYPE_CHECKING:
    from x121lib.studio import Studio
    from x121lib.testing.small_studio import Clock


@contextmanager
def running(given: config.AgentConfig, nvml: FakeNvml) -> Iterator[tuple[str, str]]:
    """Run an agent in a thread; gives its address and key."""
    loop, stop, started = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    found: list[int] = []

    async def serve() -> None:
        runner = web.AppRunner(Agent(given, Gpus(nvml)).app())
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        found.append(runner.addresses[0][1])
        started.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert started.wait(10)
    try:
        yield f"http://127.0.0.1:{found[0]}", given.key_file.read_text()
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def made(folder: Path, **more: object) -> config.AgentConfig:
    """Return a configuration in a test's own folder; ``touch`` is a service that leaves a mark."""
    touch = [sys.executable, "-c", f"open({str(folder / 'mark')!r}, 'a').write('x'); print('done')"]
    services = {"comfyui": touch, "broken": ["/nonexistent/command"]}
    values = {"key_file": folder / "agent.key", "disks": [folder, folder / "none"], "services": services, **more}
    return config.AgentConfig.model_validate(values)


@pytest.mark.capability("PRD-06/gpu-vram-temperature-utilisation-power")
def test_vitals_of_every_gpu_with_what_the_driver_does_not_say_left_out(tmp_path: Path) -> None:
    cards = [Card(throttle_bits=0x44), Card(name="old", utilisation=None, celsius=None, milliwatts=None, used=None)]
    with running(made(tmp_path), FakeNvml(cards)) as (url, key):
        report = AgentClient(url, key).vitals()
    first, old = report.gpus
    assert (first.utilisation, first.temperature_c, first.power_w) == (0.5, 60.0, 300.0)
    assert (first.vram_used_bytes, first.vram_total_bytes) == (10 << 30, 80 << 30)
    assert first.throttled == ("power limit", "temperature (hardware)")
    assert (old.utilisation, old.vram_used_bytes, old.temperature_c, old.power_w) == (None, None, None, None)
    assert [d.folder for d in report.disks] == [str(tmp_path)]
    assert report.no_gpu_reason == ""


def test_without_a_gpu_it_says_so_and_reports_the_rest(tmp_path: Path) -> None:
    with running(made(tmp_path), FakeNvml(no_driver=True)) as (url, key):
        report = AgentClient(url, key).vitals()
    assert report.no_gpu_reason == "This host has no NVIDIA GPU that answers: Driver Not Loaded."
    assert report.gpus == ()
    assert len(report.disks) == 1


def test_a_wrong_key_opens_nothing(tmp_path: Path) -> None:
    with running(made(tmp_path, power_off=["true"]), FakeNvml()) as (url, key):
        for given in ("x", key[:-1], key + "x"):
            with pytest.raises(AgentError, match="key is missing or wrong"):
                AgentClient(url, given).restart("comfyui")
        for path in ("/vitals", "/models", "/node-packs", "/anything"):
            assert httpx.get(url + path).status_code == 401
        assert httpx.post(url + "/power-off").status_code == 401
    assert not (tmp_path / "mark").exists()
    assert (tmp_path / "agent.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.capability("PRD-06/one-click-service-restart")
def test_only_configured_commands_run(tmp_path: Path) -> None:
    models, packs = tmp_path / "models", tmp_path / "packs"
    (models / "loras").mkdir(parents=True)
    (models / "loras" / "a.safetensors").write_bytes(b"12345")
    (packs / "ComfyUI-Extra").mkdir(parents=True)
    (packs / "__pycache__").mkdir()
    with running(made(tmp_path, models=models, node_packs=packs), FakeNvml()) as (url, key):
        client = AgentClient(url, key)
        assert client.restart("comfyui") == (0, "done\n")
        assert (tmp_path / "mark").read_text() == "x"
        code, words = client.restart("broken")
        assert (code, "could not be started" in words) == (-1, True)
        with pytest.raises(AgentError, match=r"No service 'sshd' is configured here\. There are: broken, comfyui"):
            client.restart("sshd")
        with pytest.raises(AgentError, match="no command 'power_off'"):
            client.power_off()
        assert client.models() == [{"path": "loras/a.safetensors", "n_bytes": 5}]
        assert client.node_packs() == ["ComfyUI-Extra"]


def test_a_command_that_does_not_end_is_ended(tmp_path: Path) -> None:
    given = made(tmp_path, services={"slow": [sys.executable, "-c", "import time; time.sleep(60)"]}, command_s=0.3)
    with running(given, FakeNvml()) as (url, key):
        assert AgentClient(url, key).restart("slow") == (-1, "The command did not end within 0 s.")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("key_file = ", "cannot be read"), ("port = 1", "key_file: Field required"),
        ("key_file = 'k'\nport = 70000", "port: "), ("key_file = 'k'\nshell = 'sh'", "shell: Extra inputs"),
        ("key_file = 'k'\n[services]\ncomfyui = []", "services.comfyui: "),
        ("key_file = 'k'\n[thresholds]\nvram_fraction = 2", "thresholds.vram_fraction: "),
    ],
)  # fmt: skip
def test_a_wrong_configuration_names_its_field(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(InvalidInputError, match=words):
        config.load(tmp_path / "a.toml")


@pytest.mark.capability("PRD-06/thresholds-raise-alerts", "PRD-87/power-consumption-tracking")
def test_thresholds_raise_events_once_and_power_becomes_energy(stocked: Studio, clock: Clock, tmp_path: Path) -> None:
    stocked.workers.add("http://127.0.0.1:9", name="far")
    card = Card()
    with running(made(tmp_path), FakeNvml([card])) as (url, key):
        stocked.agents.attach("far", url, key)
        card.celsius = 95
        asked = AgentClient(url, key)
        while not asked.vitals().alerts:
            threading.Event().wait(0.05)
        for _ in range(2):
            clock.advance(10)
            stocked.agents.look()
        assert stocked.agents.alerts()["message"].tolist() == ["GPU 0 (NVIDIA H100) is at 95 °C, above 87 °C."]
        assert stocked.agents.vitals().iloc[0]["temperature_c"] == 95.0
        energy = stocked.agents.energy().iloc[0]
        assert energy["kwh"] == pytest.approx(300 * 20 / 3.6e6, rel=0.3)  # the clock runs on meanwhile
        assert energy["measured_h"] == pytest.approx(20 / 3600, rel=0.3)
    clock.advance(10)
    stocked.agents.look()
    assert "does not answer" in stocked.agents.list().iloc[0]["trouble"]
    assert stocked.agents.vitals().empty
    kinds = [EventKind.WORKER_ALERTED, EventKind.WORKER_ALERT_ENDED]
    with stocked.transaction() as session:
        events = session.scalars(sa.select(m.Event).where(m.Event.kind_id.in_(kinds))).all()
        sealed = session.scalars(sa.select(m.WorkerAgent.key_encrypted)).one()
    assert [e.payload["alert"] for e in events] == ["gpu-0-temperature"]
    assert key.encode() not in sealed


def test_a_wrong_agent_is_refused_and_nothing_is_changed(stocked: Studio, reviewer: Actor, tmp_path: Path) -> None:
    stocked.workers.add("http://127.0.0.1:9", name="far")
    with running(made(tmp_path), FakeNvml()) as (url, key):
        for address, given, words in [(url, "wrong", "key is missing or wrong"), ("http://127.0.0.1:9", key, "answer")]:
            with pytest.raises(AgentError, match=words):
                stocked.agents.attach("far", address, given)
        with pytest.raises(NotFoundError, match="no worker 'near'"):
            stocked.agents.attach("near", url, key)
        with pytest.raises(ForbiddenError):
            stocked.as_actor(reviewer).agents.attach("far", url, key)
        assert stocked.agents.list().empty
        stocked.agents.attach("far", url, key)
        with pytest.raises(ForbiddenError):
            stocked.as_actor(reviewer).agents.restart("far", "comfyui")
        assert stocked.agents.restart("far", "comfyui") == (0, "done\n")
    with stocked.transaction() as session:
        entry = session.scalars(sa.select(m.AuditEntry).where(m.AuditEntry.action == "worker.restart_service")).one()
    assert json.loads(json.dumps(entry.after)) == {"service": "comfyui", "exit_code": 0}
