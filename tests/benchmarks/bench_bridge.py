"""What X121 adds to a trivial prompt: from our call to the recorded result, less the server's own execution."""

from __future__ import annotations

import statistics
import tempfile
import time
import uuid
from pathlib import Path

from tests.contract.engine.conftest import start_engine_process
from x121lib.base.settings import Settings
from x121lib.comfyui import OutputKind, discover_slots
from x121lib.comfyui.bridge import Bridge
from x121lib.comfyui.render import RenderOrder, render
from x121lib.store import migrations
from x121lib.store.artifact_rows import FileFacts, ImageFacts, register
from x121lib.store.artifacts import ArtifactStore
from x121lib.store.embedded import EmbeddedServer, remove
from x121lib.store.session import Database
from x121lib.terms.vocabulary import ArtifactKind

ROUNDS, WARM = 60, 5
LIMIT_MS = 20.0
SIZE = 64
Row = dict[str, object]
Parts = tuple[float, float, float]
"""Milliseconds: all of it, the server's execution, storing and recording."""


def bench() -> list[Row]:
    """Return the row ``bridge_overhead_ms``."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home")
        server = EmbeddedServer(settings)
        database = Database(server.acquire())
        bridge = Bridge()
        process, url = start_engine_process(Path(folder) / "engine")
        try:
            migrations.upgrade(database)
            artifacts = ArtifactStore(settings.artifacts_dir)
            parts = [_round((bridge, url), Path(folder), database, artifacts) for _ in range(WARM + ROUNDS)][WARM:]
        finally:
            bridge.close()
            process.terminate()
            process.wait()
            database.dispose()
            server.release()
            remove(settings)
    return [_row(parts)]


def _row(parts: list[Parts]) -> Row:
    overheads = sorted(total - own for total, own, _ in parts)
    median = statistics.median(overheads)
    own, recording = (statistics.median(part[i] for part in parts) for i in (1, 2))
    p95 = overheads[int(0.95 * len(overheads))]
    note = (
        f"median of {len(parts)} (p95 {p95:.1f} ms): look-up, prompt, events, history, download of a {SIZE} x {SIZE} "
        f"PNG with SHA-256, and {recording:.1f} ms for the artifact store (synced) and the committed row; the server's "
        f"own {own:.1f} ms are not in it; lower is better"
    )
    return {
        "name": "bridge_overhead_ms", "value": round(median, 1), "unit": "ms", "against": f"limit {LIMIT_MS:g}",
        "ratio": round(median / LIMIT_MS, 2), "note": note,
    }  # fmt: skip


def _round(server: tuple[Bridge, str], folder: Path, database: Database, artifacts: ArtifactStore) -> Parts:
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": {
            "width": SIZE, "height": SIZE, "batch_size": 1, "color": uuid.uuid4().int % 0xFFFFFF}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": f"b/{uuid.uuid4().hex}"}},
    }  # fmt: skip
    bridge, url = server
    order = RenderOrder(url, uuid.uuid4(), graph, tuple(discover_slots(graph)), (), {}, OutputKind.IMAGE)
    began = time.perf_counter()
    rendered = bridge.run(url, lambda client: render(client, order, folder))
    fetched = time.perf_counter()
    stored = artifacts.put_file(rendered.path, move=True)
    facts = FileFacts(stored.sha256, stored.n_bytes, "image/png", ArtifactKind.IMAGE, image=ImageFacts(SIZE, SIZE))
    with database.transaction() as session:
        register(session, facts)
    ended = time.perf_counter()
    return 1000 * (ended - began), 1000 * rendered.run.run_s, 1000 * (ended - fetched)
