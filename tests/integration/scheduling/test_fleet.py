"""The fleet: who is sent what, who is set aside, who is to blame, and what stands in the history."""

from __future__ import annotations

import http.server
import json
import ssl
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import ForbiddenError, InvalidInputError, NotFoundError, RefusedError
from x121lib.comfyui.errors import BadAddressError
from x121lib.scheduling import policy, standing
from x121lib.terms.roles import Actor
from x121lib.terms.vocabulary import TaskStatus

if TYPE_CHECKING:
    from tests.integration.scheduling.conftest import Queue
    from x121lib.studio import Studio
    from x121lib.testing.small_studio import Clock


@contextmanager
def serving(answers: dict[str, object], certificate: Path | None = None) -> Iterator[str]:
    """Run an HTTP(S) server with fixed JSON answers; texts are sent as they are."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path)
            body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(200 if answer is not None else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


STATS = {"system": {"comfyui_version": "0.25.1"}, "devices": [{"name": "cuda:0 RTX", "type": "cuda", "vram_total": 24}]}


def test_what_is_no_comfyui_is_refused_in_one_message_and_nothing_is_changed(stocked: Studio, tmp_path: Path) -> None:
    pem = tmp_path / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")], check=True, capture_output=True,
    )  # fmt: skip
    pem.write_text((tmp_path / "key.pem").read_text() + (tmp_path / "cert.pem").read_text())
    cases: list[tuple[dict[str, object], str]] = [
        ({}, "/system_stats answers with status 404"),
        ({"/system_stats": "<html>hello"}, "/system_stats is not JSON"),
        ({"/system_stats": {"ok": True}}, "/system_stats is not ComfyUI's"),
        ({"/system_stats": STATS, "/object_info": {}}, "names no node class"),
    ]
    for answers, words in cases:
        with serving(answers) as url, pytest.raises(BadAddressError, match=words):
            stocked.workers.add(url)
    with serving({"/system_stats": STATS}, pem) as url, pytest.raises(BadAddressError, match="TLS certificate"):
        stocked.workers.add(url)
    stocked.settings.allow_private_addresses = False
    for private in ("http://127.0.0.1:8188", "http://[::1]:8188", "http://169.254.169.254", "http://10.0.0.7:8188"):
        with pytest.raises(BadAddressError, match="private"):
            stocked.workers.add(private)
    assert stocked.workers.list().empty


@pytest.mark.capability("PRD-46/worker-registration")
def test_capabilities_are_read_from_the_server(stocked: Studio) -> None:
    answers: dict[str, object] = {
        "/system_stats": STATS, "/object_info": {"KSampler": {}, "LoadImage": {}},
        "/models": ["loras", "../etc", 7], "/models/loras": ["a.safetensors", "sub/b.safetensors"],
    }  # fmt: skip
    with serving(answers) as url:
        stocked.workers.add(url, name="big", tags=("high-vram",))
        stocked.work.check_workers()
        shown = stocked.workers.show("big")
    assert (shown["status"], shown["device"], shown["vram_bytes"]) == ("online", "cuda:0 RTX", 24)
    assert shown["node_classes"] == ["KSampler", "LoadImage"]
    assert [x["name"] for x in shown["models"]] == ["a.safetensors", "sub/b.safetensors"]
    assert shown["tags"] == "high-vram"


def lose(line: Queue, task_id: object, worker: str) -> None:
    """Send a task to a worker and lose it there."""
    (sent,) = [s for s in line.dispatch() if s.task_id == task_id]
    assert line.task(sent.task_id).worker_id == line.workers[worker]
    line.start(sent)
    line.fail(sent, machine=True)


def test_a_worker_that_fails_several_tasks_in_a_row_is_set_aside_and_taken_back(line: Queue, clock: Clock) -> None:
    line.add_worker("one")
    ids = [line.chain(name)[0].id for name in ("Aiko", "Lena")]
    for task_id in ids:
        line.studio.set_priority([task_id], 90)
        lose(line, task_id, "one")
        line.studio.set_priority([task_id], 10)
        line.report("one", ok=True)
    assert line.studio.workers.list().iloc[0]["error_streak"] == 2
    third = with_another_task(line)
    line.studio.set_priority([third], 95)
    lose(line, third, "one")
    line.report("one", ok=True)
    assert line.status("one") == "online"
    assert line.dispatch() == []
    assert "Set aside for 1 min: 3 tasks failed on it in a row." in set(line.studio.workers.history("one")["reason"])
    clock.advance(61)
    line.report("one", ok=True)
    (sent,) = line.dispatch()
    line.run(sent)
    assert line.studio.workers.list().iloc[0]["error_streak"] == 0


def with_another_task(line: Queue) -> uuid.UUID:
    """Cancel Lena's scene and submit it again, which gives a task that no worker has met."""
    line.studio.cancel([line.chain("Lena")[0].id])
    line.studio.project("Aurora").submit(characters=["Lena"])
    return next(t.id for t in line.chain("Lena") if t.status_id == TaskStatus.QUEUED)


def test_a_task_that_fails_on_three_workers_is_at_fault_itself(line: Queue) -> None:
    task_id = line.chain("Aiko")[0].id
    line.studio.pause([t.id for t in line.chain("Lena")])
    for name in ("one", "two", "three"):
        line.add_worker(name)
        if name != "one":
            for known in line.workers:
                line.report(known, ok=True)
        lose(line, task_id, name)
    assert line.task(task_id).status_id == TaskStatus.FAILED
    frame = line.studio.workers.list()
    assert list(frame["error_streak"]) == [0, 0, 0]
    assert frame["set_aside_until"].isna().all()


@pytest.mark.parametrize(
    ("workers", "attempts", "streak", "found"),
    [
        (1, 1, 1, policy.Blame(False, 0)), (2, 2, 2, policy.Blame(False, 0)), (1, 1, 3, policy.Blame(False, 60)),
        (2, 2, 5, policy.Blame(False, 240)), (1, 1, 99, policy.Blame(False, 3600)), (3, 3, 9, policy.Blame(True, 0)),
        (1, 5, 3, policy.Blame(True, 0)),
    ],
)  # fmt: skip
def test_blame(workers: int, attempts: int, streak: int, found: policy.Blame) -> None:
    assert policy.blame(workers=workers, attempts=attempts, streak=streak) == found


@pytest.mark.parametrize("hold", ["drain", "maintenance"])
def test_a_worker_held_back_finishes_gets_nothing_more_and_is_taken_back(line: Queue, hold: str) -> None:
    line.add_worker("one")
    (sent,) = line.dispatch()
    line.start(sent)
    getattr(line.studio.workers, hold)("one")
    line.complete(sent)
    for ok in (True, False):
        line.report("one", ok=ok)
        assert line.status("one") == {"drain": "draining", "maintenance": "maintenance"}[hold]
    assert line.dispatch() == []
    line.studio.workers.reopen("one")
    line.report("one", ok=True)
    assert len(line.dispatch()) == 1
    history = line.studio.workers.history("one")
    assert list(history["to"])[::-1][:2] == ["offline", "online"]
    assert list(history["to"])[:2] == ["online", "offline"]
    assert history.iloc[1]["who"] != ""


@pytest.mark.capability("PRD-46/capability-tags")
def test_a_workflow_runs_only_on_workers_with_its_tags(line: Queue) -> None:
    with line.studio.transaction() as session:
        task = line.chain("Aiko")[0]
        workflow_id, _ = standing.versions_of(session, [task.id])[task.id]
        workflow = session.get_one(m.Workflow, workflow_id).name
    line.studio.workers.require_tags(workflow, ("high-vram",))
    line.add_worker("small")
    assert line.dispatch() == []
    assert "tags that its workflow needs: high-vram" in line.studio.queue().iloc[0]["why"]
    big = line.add_worker("big")
    line.studio.workers.change("big", tags=("fast", "high-vram"))
    (sent,) = line.dispatch()
    assert line.task(sent.task_id).worker_id == big
    line.studio.workers.require_tags(workflow, ())
    assert len(line.dispatch()) == 1


def test_bad_changes_are_refused_and_change_nothing(line: Queue, reviewer: Actor) -> None:
    line.add_worker("one")
    line.add_worker("two")
    w = line.studio.workers
    bad: list[tuple[type[Exception], Callable[[], None]]] = [
        (RefusedError, lambda: w.change("one", rename="two")),
        (InvalidInputError, lambda: w.change("one", slots=17)),
        (InvalidInputError, lambda: w.change("one", tags=("a,b",))),
        (NotFoundError, lambda: w.change("three", slots=2)),
        (NotFoundError, lambda: w.require_tags("no such workflow", ("a",))),
        (ForbiddenError, lambda: line.studio.as_actor(reviewer).workers.change("one", slots=2)),
        (ForbiddenError, lambda: line.studio.as_actor(reviewer).workers.maintenance("one")),
    ]
    before = w.list().drop(columns="last_seen_at").to_dict("records")
    for kind, step in bad:
        with pytest.raises(kind):
            step()
    assert w.list().drop(columns="last_seen_at").to_dict("records") == before


@pytest.mark.capability("OVR/warm-start-caching-of-shared-nodes")
def test_completed_takes_record_loaded_models_and_speed_until_the_worker_goes(line: Queue, clock: Clock) -> None:
    one = line.add_worker("one")
    with line.studio.transaction() as session:
        version = session.scalars(sa.select(m.WorkflowVersion)).first()
        assert version is not None
        loader = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "wan.safetensors"}}
        other = m.WorkflowVersion(
            workflow_id=version.workflow_id, number=9, graph={**version.graph, "99": loader}, graph_hash="0" * 64
        )
        session.add(other)
        session.flush()
        session.execute(sa.update(m.SceneTypeVersion).values(workflow_version_id=other.id))
    (sent,) = line.dispatch()
    line.run(sent)
    shown = line.studio.workers.show("one")
    assert (shown["loaded"], shown["speed"][0]["mean_s"], shown["speed"][0]["takes"]) == (["wan.safetensors"], 1.0, 1)
    line.add_worker("cold")
    line.studio.pause([t.id for t in line.chain("Lena")])
    (sent,) = line.dispatch()
    assert line.task(sent.task_id).worker_id == one
    clock.advance(60)
    line.report("one", ok=False)
    assert line.studio.workers.show("one")["loaded"] == []
