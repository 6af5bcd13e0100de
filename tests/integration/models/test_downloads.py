"""Downloads through the library, the command line and the API: two sites and a store behind them, each on its port."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import ForbiddenError, InvalidInputError, RefusedError
from x121lib.models.downloads import service
from x121lib.models.downloads.errors import DownloadError
from x121lib.studio import Studio
from x121lib.terms.roles import Actor
from x121lib.terms.transitions import TransitionError
from x121lib.terms.vocabulary import EventKind
from x121lib.testing.file_site import FileSite, Page
from x121lib.testing.small_studio import Clock

BODY = bytes(range(256)) * 1500
SHA = hashlib.sha256(BODY).hexdigest()
COMMIT = "c" * 40


@dataclass
class Sites:
    """Hugging Face, CivitAI, and the store that both redirect to."""

    hf: FileSite
    civitai: FileSite
    store: FileSite


@pytest.fixture(scope="module")
def ports() -> Iterator[Sites]:
    sites = Sites(FileSite(), FileSite(), FileSite())
    yield sites
    for site in (sites.hf, sites.civitai, sites.store):
        site.stop()


@pytest.fixture
def sites(ports: Sites, stocked: Studio, tmp_path: Path) -> Sites:
    """Return the sites with one file on each; the studio knows them, and the store is a private host it may ask."""
    for site in (ports.hf, ports.civitai, ports.store):
        site.pages.clear()
        site.asked.clear()
    ports.store.pages["/blob"] = Page(BODY)
    facts = {"X_Linked_Etag": f'"{SHA}"', "X_Linked_Size": str(len(BODY)), "X_Repo_Commit": COMMIT}
    for revision in ("main", COMMIT):
        ports.hf.redirect(f"/o/r/resolve/{revision}/loras/soft.safetensors", f"{ports.store.url}/blob", **facts)
    file = {"name": "../Soft Light.safetensors", "primary": True, "type": "Model", "hashes": {"SHA256": SHA.upper()}}
    about = {"id": 34, "modelId": 12, "baseModel": "SDXL 1.0", "trainedWords": ["soft light"],
             "model": {"type": "LORA"}, "files": [file]}  # fmt: skip
    ports.civitai.json("/api/v1/models/12", {"modelVersions": [{"id": 34}]}, token="civ")
    ports.civitai.json("/api/v1/model-versions/34", about, token="civ")
    ports.civitai.redirect("/api/download/models/34", f"{ports.store.url}/blob").token = "civ"
    settings = stocked.settings
    (tmp_path / "models").mkdir()
    settings.models_dir, settings.disk_reserve_mb, settings.download_timeout_s = tmp_path / "models", 0, 2.0
    settings.huggingface_url, settings.civitai_url = ports.hf.url, ports.civitai.url
    settings.download_private_hosts = [f"127.0.0.1:{s.port}" for s in (ports.hf, ports.civitai, ports.store)]
    return ports


def row(studio: Studio, key: Any) -> dict[str, Any]:
    return studio.downloads.show(key)


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.capability("PRD-104/source-integrations", "PRD-104/auto-registration")
def test_hugging_face_gives_hash_and_commit_and_the_file_is_registered(stocked: Studio, sites: Sites) -> None:
    key = stocked.downloads.add("hf:o/r/loras/soft.safetensors")
    assert sites.store.asked[0][1].get("range") is None
    waiting = row(stocked, key)
    assert (waiting["status"], waiting["sha256"], waiting["n_bytes"]) == ("queued", SHA, len(BODY))
    sites.hf.asked.clear()
    assert stocked.downloads.run_next()
    assert not stocked.downloads.run_next()
    assert [path for path, _ in sites.hf.asked] == [f"/o/r/resolve/{COMMIT}/loras/soft.safetensors"]
    done = row(stocked, key)
    assert (done["status"], done["percent"], done["trouble"]) == ("complete", 100.0, "")
    known = stocked.models.show("soft.safetensors")
    assert (known["kind"], known["versions"][0]["sha256"], known["model_id"]) == ("LoRA", SHA, done["model_id"])
    folder = stocked.models.root() / "loras"
    assert [p.name for p in folder.iterdir()] == ["soft.safetensors"]
    assert stocked.models.scan().n_hashed == 0
    with stocked.transaction() as session:
        kinds = list(session.scalars(sa.select(m.Event.kind_id).where(m.Event.kind_id == EventKind.MODEL_DOWNLOADED)))
    assert len(kinds) == 1


@pytest.mark.capability("PRD-104/source-integrations", "PRD-104/auto-registration", "PRD-104/placement-rules")
def test_civitai_needs_its_token_and_tells_words_and_base_model(stocked: Studio, sites: Sites) -> None:
    stocked.settings.download_folders = {"loras": "loras/{base_model}"}
    with pytest.raises(DownloadError, match="x121 secret set civitai"):
        stocked.downloads.add(f"{sites.civitai.url}/models/12/soft-light")
    stocked.secrets.set("civitai", "civ")
    key = stocked.downloads.add(f"{sites.civitai.url}/models/12/soft-light")
    assert stocked.downloads.run_next()
    known = stocked.models.show("loras/SDXL 1.0/_Soft Light.safetensors")
    assert (known["base_model"], known["trigger_words"]) == ("SDXL 1.0", ["soft light"])
    assert all("authorization" not in headers for _, headers in sites.store.asked)
    assert row(stocked, key)["status"] == "complete"


@pytest.mark.capability("PRD-104/duplicate-detection")
def test_a_duplicate_is_found_before_the_download(stocked: Studio, sites: Sites) -> None:
    root = stocked.models.root()
    (root / "vae").mkdir()
    (root / "vae" / "mine.safetensors").write_bytes(BODY)
    (root / "vae" / "blob.pt").write_bytes(BODY)
    stocked.models.scan()
    with pytest.raises(RefusedError, match="registered already as 'vae/"):
        stocked.downloads.add("hf:o/r/loras/soft.safetensors")
    sites.store.pages["/blob.pt"] = Page(BODY)
    with pytest.raises(RefusedError, match=r"vae/blob\.pt"):
        stocked.downloads.add(f"{sites.store.url}/blob.pt", kind="loras")
    stocked.downloads.add("hf:o/r/loras/soft.safetensors", anyway=True)
    with pytest.raises(RefusedError, match="already"):
        stocked.downloads.add("hf:o/r/loras/soft.safetensors", anyway=True)
    assert len(stocked.downloads.list()) == 1


def test_what_is_wrong_is_said_and_nothing_is_queued(stocked: Studio, sites: Sites) -> None:
    direct = f"{sites.store.url}/blob"
    for given, error, said in (
        ({"address": direct, "name": "a.pt"}, InvalidInputError, "--kind"),
        ({"address": direct, "kind": "loras"}, InvalidInputError, "--name"),
        ({"address": direct, "kind": "hats", "name": "a.pt"}, InvalidInputError, "Kinds: checkpoints"),
        ({"address": direct, "kind": "vae", "name": "a.pt", "sha256": "12"}, InvalidInputError, "64 hexadecimal"),
        ({"address": "hf:o/r/loras/soft.safetensors", "sha256": "0" * 64}, RefusedError, "The site says"),
        ({"address": "hf:o/r/none.pt"}, DownloadError, "no such file"),
    ):
        with pytest.raises(error, match=said):
            stocked.downloads.add(**given)  # type: ignore[arg-type]
    stocked.settings.disk_reserve_mb = 10**9
    with pytest.raises(DownloadError, match="no room"):
        stocked.downloads.add("hf:o/r/loras/soft.safetensors")
    with pytest.raises(ForbiddenError):
        stocked.as_actor(Actor(None, "nobody", frozenset())).downloads.add(direct)
    assert stocked.downloads.list().empty


@pytest.mark.capability("PRD-104/hash-verification")
def test_a_wrong_hash_fails_and_a_resume_begins_anew(stocked: Studio, sites: Sites) -> None:
    key = stocked.downloads.add("hf:o/r/loras/soft.safetensors")
    sites.store.pages["/blob"] = Page(BODY[:-1] + b"!")
    assert stocked.downloads.run_next()
    failed = row(stocked, key)
    assert (failed["status"], failed["received_bytes"]) == ("failed", 0)
    assert "not kept" in failed["trouble"]
    assert list((stocked.models.root() / "loras").iterdir()) == []
    assert stocked.models.list().empty
    sites.store.pages["/blob"] = Page(BODY)
    stocked.downloads.resume(key)
    assert stocked.downloads.run_next()
    assert row(stocked, key)["status"] == "complete"
    with pytest.raises(TransitionError):
        stocked.downloads.pause(key)


@pytest.mark.capability("PRD-104/download-queue")
def test_pause_resume_and_cancel_of_a_slow_download(stocked: Studio, sites: Sites) -> None:
    sites.store.pages["/blob"].pause_s = 0.3
    key = stocked.downloads.add("hf:o/r/loras/soft.safetensors")
    thread = threading.Thread(target=stocked.downloads.run_next)
    thread.start()
    eventually(lambda: row(stocked, key)["received_bytes"] > 65536)
    assert row(stocked, key)["bytes_per_s"] > 0
    stocked.downloads.pause("soft.safetensors")
    thread.join(10)
    assert not thread.is_alive()
    assert row(stocked, key)["status"] == "paused"
    assert not stocked.downloads.run_next()
    sites.store.asked.clear()
    stocked.downloads.resume(key)
    sites.store.pages["/blob"].pause_s = 0.0
    assert stocked.downloads.run_next()
    assert sites.store.asked[0][1]["range"].startswith("bytes=")
    assert row(stocked, key)["status"] == "complete"
    other = stocked.downloads.add("hf:o/r/loras/soft.safetensors", name="two.pt", anyway=True)
    stocked.downloads.cancel(other)
    assert not stocked.downloads.run_next()


def test_a_killed_process_is_followed_by_one_that_goes_on(stocked: Studio, sites: Sites, clock: Clock) -> None:
    sites.store.pages["/blob"].pause_s = 0.4
    key = stocked.downloads.add("hf:o/r/loras/soft.safetensors")
    code = "from x121lib.studio import Studio\nwith Studio.open() as studio:\n    studio.downloads.run_next()\n"
    s = stocked.settings
    assert s.database_url is not None
    hosts = str(s.download_private_hosts).replace("'", '"')
    env = {"X121_HOME": str(s.home), "X121_DATABASE_URL": s.database_url.get_secret_value(), "PATH": "/usr/bin:/bin",
           "X121_DOWNLOAD_PRIVATE_HOSTS": hosts, "X121_DISK_RESERVE_MB": "0"}  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", code], env=env)
    try:
        eventually(lambda: row(stocked, key)["received_bytes"] > 0)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert row(stocked, key)["status"] == "running"
    sites.store.asked.clear()
    sites.store.pages["/blob"].pause_s = 0.0
    with stocked.transaction() as session:
        session.execute(sa.update(m.ModelDownload).values(lease_until=clock() - timedelta(seconds=1)))
    assert stocked.downloads.run_next()
    assert int(sites.store.asked[0][1]["range"].removeprefix("bytes=").rstrip("-")) > 0
    assert row(stocked, key)["status"] == "complete"
    assert stocked.models.list().iloc[0]["sha256"] == SHA


def test_a_crash_between_the_name_and_the_record_is_recognised(stocked: Studio, sites: Sites) -> None:
    key = stocked.downloads.add("hf:o/r/loras/soft.safetensors")
    target = stocked.models.root() / "loras" / "soft.safetensors"
    target.parent.mkdir()
    target.write_bytes(BODY)
    sites.store.asked.clear()
    assert stocked.downloads.run_next()
    assert sites.store.asked == []
    assert row(stocked, key)["status"] == "complete"
    with stocked.transaction() as session:
        assert service.find(session, str(key)).model_id is not None
